/** A browser without a window and without a network, spoken to through a pipe. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';

/** Where Chromium is; undefined when this machine has none. */
export function findChromium(): string | undefined {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.trim();
  }
  return undefined;
}

export interface PageOptions {
  readonly width: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  readonly media?: 'screen' | 'print';
  /** As someone sees it who does not see all colours. */
  readonly deficiency?: 'protanopia' | 'deuteranopia' | 'tritanopia' | 'achromatopsia';
  readonly scripts?: boolean;
}

type Message = Record<string, unknown>;

export class Chromium implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #input: Writable;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #events: Message[] = [];
  #last = 0;
  #session: string | undefined;

  private constructor(program: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'netkit-chromium-'));
    const options = [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--remote-debugging-pipe'],
      ...['--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking'],
      // Whatever wants the network gets an error.
      ...['--proxy-server=127.0.0.1:9', '--host-resolver-rules=MAP * ~NOTFOUND'],
      `--user-data-dir=${this.#folder}`,
    ];
    this.#process = spawn(program, options, {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const [, , , input, output] = this.#process.stdio;
    if (!(input instanceof Writable) || !(output instanceof Readable)) throw new Error('no pipes');
    this.#input = input;
    input.on('error', () => undefined);
    let rest = '';
    output.on('data', (chunk: Buffer) => {
      const parts = `${rest}${chunk.toString('utf8')}`.split('\0');
      rest = parts.pop() ?? '';
      for (const part of parts) this.#take(JSON.parse(part));
    });
  }

  static async start(program: string): Promise<Chromium> {
    const chromium = new Chromium(program);
    const { targetId } = await chromium.send('Target.createTarget', { url: 'about:blank' }, false);
    const { sessionId } = await chromium.send('Target.attachToTarget', { targetId, flatten: true }, false);
    chromium.#session = String(sessionId);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await chromium.send(`${domain}.enable`);
    await chromium.send('Network.emulateNetworkConditions', {
      ...{ offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 },
    });
    return chromium;
  }

  #take(message: Message): void {
    const { id } = message;
    if (typeof id !== 'number') {
      this.#events.push(message);
      return;
    }
    this.#waiting.get(id)?.(message);
    this.#waiting.delete(id);
  }

  /** Sends a command of the DevTools protocol and returns its result. */
  async send(method: string, params: Message = {}, inPage = true): Promise<Message> {
    const id = ++this.#last;
    const answer = new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), 60_000);
      this.#waiting.set(id, (message) => {
        clearTimeout(timer);
        if (message.error !== undefined) reject(new Error(`${method}: ${JSON.stringify(message.error)}`));
        else resolve(Object(message.result));
      });
    });
    const session = inPage && this.#session !== undefined ? { sessionId: this.#session } : {};
    this.#input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return answer;
  }

  /** Opens a file as somebody with such a screen and such eyes does. */
  async open(path: string, options: PageOptions): Promise<void> {
    const { width, height = 900, scheme = 'light', media = 'screen', deficiency, scripts = true } = options;
    await this.send('Emulation.setDeviceMetricsOverride', {
      ...{ width, height, deviceScaleFactor: 1, mobile: width < 600 },
    });
    await this.send('Emulation.setEmulatedMedia', {
      media,
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    });
    await this.send('Emulation.setEmulatedVisionDeficiency', { type: deficiency ?? 'none' });
    await this.send('Emulation.setScriptExecutionDisabled', { value: !scripts });
    this.#events.length = 0;
    await this.send('Page.navigate', { url: `file://${path}` });
    const until = Date.now() + 60_000;
    while (!this.#events.some(({ method }) => method === 'Page.loadEventFired')) {
      if (Date.now() > until) throw new Error(`${path} was not loaded`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      ...{ expression, returnByValue: true, awaitPromise: true },
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return Object(result).value;
  }

  /** What went wrong since the page was opened: exceptions, errors and warnings that the browser wrote. */
  problems(): string[] {
    return this.#events
      .filter(
        ({ method }) =>
          method === 'Runtime.exceptionThrown' ||
          method === 'Log.entryAdded' ||
          method === 'Runtime.consoleAPICalled',
      )
      .map(({ params }) => JSON.stringify(params));
  }

  /** Everything that the page asked for, by address. */
  requests(): string[] {
    return this.#events
      .filter(({ method }) => method === 'Network.requestWillBeSent')
      .map(({ params }) => String(Object(Object(params).request).url));
  }

  /** The whole page as PNG, or the part of it from `top` on. */
  async screenshot(clip?: {
    readonly top: number;
    readonly width: number;
    readonly height: number;
  }): Promise<Buffer> {
    const part =
      clip === undefined
        ? {}
        : { clip: { x: 0, y: clip.top, width: clip.width, height: clip.height, scale: 1 } };
    const { data } = await this.send('Page.captureScreenshot', {
      format: 'png',
      captureBeyondViewport: true,
      ...part,
    });
    return Buffer.from(String(data), 'base64');
  }

  async pdf(): Promise<Buffer> {
    const { data } = await this.send('Page.printToPDF', { printBackground: true, preferCSSPageSize: true });
    return Buffer.from(String(data), 'base64');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#process;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    if (pid !== undefined && this.#process.exitCode === null) {
      // Its group is its own.
      process.kill(-pid, 'SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
