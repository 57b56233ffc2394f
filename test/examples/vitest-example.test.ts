// The example's tests are tests of this suite: they stand on the built package, as a user's do.
const example = new URL('../../examples/testing/orders.vitest.test.mjs', import.meta.url);

await import(/* @vite-ignore */ example.pathname);
