/** The build of sql.js that is one JavaScript file: its types name the others only. */
declare module 'sql.js/dist/sql-wasm-inline.js' {
  export { default } from 'sql.js';
}
