import type { Command } from '../context.js';

export const run: Command<'completion'> = async ({ output }, { shell }) => {
  const script = await scriptFor(shell);
  output.result({ shell, script }, (page) => page.text(script));
};

async function scriptFor(shell: 'bash' | 'zsh' | 'fish'): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.js')).bashScript();
    case 'zsh':
      return (await import('../completion/zsh.js')).zshScript();
    case 'fish':
      return (await import('../completion/fish.js')).fishScript();
  }
}
