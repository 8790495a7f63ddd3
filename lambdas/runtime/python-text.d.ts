/** Bundled as text (scripts/engine-build.ts, BUNDLE_OPTIONS). */
declare module '*.py' {
  const text: string;
  export default text;
}
