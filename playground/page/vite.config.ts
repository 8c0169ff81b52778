import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The built page is shipped inside the Python package: fixed names, nothing that differs from one build to the next.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    modulePreload: false,
    cssCodeSplit: false,
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 2000,
    rollupOptions: { output: { entryFileNames: "page.js", assetFileNames: "page.[ext]" } },
  },
});
