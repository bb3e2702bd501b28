import { defineConfig } from 'vitest/config';

const kernelWork = {
  // One file at a time: they share the kernel's programs, maps and links, and each compares before with after.
  fileParallelism: false,
  testTimeout: 180_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  // Node 20 knows no `using`.
  oxc: { target: 'node20' },
  test: {
    // A crash in native code then costs one file.
    pool: 'forks',
    maxWorkers: 2,
    passWithNoTests: false,
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 180_000 },
      },
      {
        extends: true,
        test: { name: 'lint', include: ['test/lint/**/*.test.ts'], testTimeout: 180_000 },
      },
      {
        extends: true,
        test: { name: 'kernel', include: ['test/kernel/**/*.test.ts'], ...kernelWork },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...kernelWork },
      },
    ],
  },
});
