/** Where the benchmarks' sources are, also when they were bundled: scripts lie beside them. */
export const BENCH_FOLDER = __dirname;
