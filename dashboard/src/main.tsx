import "@mantine/core/styles.css";
import { createTheme, type CSSVariablesResolver, MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { Refused, session } from "./client";
import { makeRouter } from "./router";
import { SignIn } from "./SignIn";

const theme = createTheme({ primaryColor: "indigo", defaultRadius: "md" });

/** Mantine's dimmed text is too faint for WCAG AA on both backgrounds. */
const legible: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--mantine-color-dimmed": "var(--mantine-color-gray-7)" },
  dark: { "--mantine-color-dimmed": "var(--mantine-color-dark-1)" },
});
const nonce = document.querySelector<HTMLMetaElement>("meta[name=style-nonce]")?.content ?? "";
setNonce(nonce); // for the styles of dialogs
const router = makeRouter();
const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: (count, error) => count < 2 && !(error instanceof Refused && error.status < 500) },
  },
});

function App() {
  const [signedIn, setSignedIn] = useState(session.key() !== null);
  return signedIn ? <RouterProvider router={router} /> : <SignIn done={() => setSignedIn(true)} />;
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={legible} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
