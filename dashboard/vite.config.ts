import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  build: { outDir: "../src/clarion/dashboard", emptyOutDir: true, assetsInlineLimit: 0 },
});
