import { Center, Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, type ReactNode } from "react";
import { entrance } from "./data/entrance";
import { Failure } from "./parts/states";
import { loadAhead, router } from "./router";
import { text } from "./text";

const Entrance = lazy(() => import("./shell/Entrance"));

/** The pages, or what has to be done before. */
export function App() {
  const queries = useQueryClient();
  const way = useQuery({ queryKey: ["entrance"], queryFn: () => entrance(location), staleTime: Infinity, retry: false });
  const entered = way.data?.to === "pages";
  useEffect(() => {
    if (entered) void loadAhead();
  }, [entered]);
  if (way.data?.to === "pages") return <RouterProvider router={router} />;
  if (way.data) {
    return (
      <Suspense fallback={<Middle>{null}</Middle>}>
        <Entrance way={way.data} done={() => queries.setQueryData(["entrance"], { to: "pages" })} />
      </Suspense>
    );
  }
  return (
    <Middle>{way.error ? <Failure error={way.error} retry={() => void way.refetch()} /> : <Loader size="sm" aria-label={text.loading} />}</Middle>
  );
}

function Middle({ children }: { children: ReactNode }) {
  return (
    <Center mih="100dvh" p="md" component="main">
      {children}
    </Center>
  );
}
