// esbuild makes a sheet of what is imported.
declare module "*.css";
