import { Center, Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { entrance } from "./data/entrance";
import { Failure } from "./parts/states";
import { router } from "./router";
import { Entrance } from "./shell/Entrance";
import { text } from "./text";

/** The pages, or what has to be done before. */
export function App() {
  const queries = useQueryClient();
  const way = useQuery({ queryKey: ["entrance"], queryFn: () => entrance(location), staleTime: Infinity, retry: false });
  if (way.data?.to === "pages") return <RouterProvider router={router} />;
  if (way.data) return <Entrance way={way.data} done={() => queries.setQueryData(["entrance"], { to: "pages" })} />;
  return (
    <Center mih="100dvh" p="md" component="main">
      {way.error ? <Failure error={way.error} retry={() => void way.refetch()} /> : <Loader size="sm" aria-label={text.loading} />}
    </Center>
  );
}
