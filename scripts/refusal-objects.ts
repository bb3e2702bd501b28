/**
 * Compiles the programs of test/refusals with both compilers into .cache, where the virtual machines of `npm run test:vm`
 * find them: in there it takes minutes.
 */
import { NetkitError } from '../src/base/errors.js';
import { type Compiler, compilers, refusalObjects } from '../test/support/refusal-objects.js';

for (const compiler of compilers) await compileWith(compiler);

async function compileWith(compiler: Compiler): Promise<void> {
  try {
    await refusalObjects(compiler);
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    process.stderr.write(`the programs of test/refusals are not compiled: ${error.message}\n`);
    // The tests say so too.
    if (error.code !== 'tool-missing') process.exitCode = 1;
  }
}
