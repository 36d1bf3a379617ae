/** The commands of docs/api.md: read from the page, and carried out by curl where it is there, else by fetch. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** The address in the commands. */
const DOCUMENTED = 'http://127.0.0.1:3000';
/** What curl takes for a request that hangs, in seconds. */
const MAX_SECONDS = '60';

/** A value that a command takes from the answer of another one, on the line before it. */
const MADE = /^(\w+)=\$\(([^]*) \| sed 's\/\.\*"(\w+)":[^\n]*\n/;

/** Whether curl is there, as it is on most machines. */
export const hasCurl = spawnSync('curl', ['--version']).status === 0;
const run = promisify(execFile);

/** The commands between two headings of a page, in their order. */
export interface DocumentedCommand {
  /** The heading above it: method and path. */
  readonly title: string;
  readonly command: string;
  /** The statuses of success that stand above it. */
  readonly statuses: readonly number[];
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly [string, string][];
  readonly body: string | undefined;
}

/** Every command of the page, each with what stands between its heading and it. */
export function commandsOf(page: string): readonly DocumentedCommand[] {
  return Array.from(
    page.matchAll(/^### (.+)\n([^]*?)^```bash\n([^]*?)\n```$/gm),
    ([, title = '', text = '', command = '']) => ({
      title,
      command,
      statuses: Array.from(text.matchAll(/\*\*(2\d\d)\*\*/g), ([, status]) => Number(status)),
    }),
  );
}

/** Carries a command out against a service. @returns the status, with the body of the answer for people */
export async function carryOut(command: string, url: string): Promise<{ status: number; text: string }> {
  return hasCurl ? await byShell(command, url) : await byFetch(command, url);
}

async function byShell(command: string, url: string): Promise<{ status: number; text: string }> {
  const options = ` --max-time ${MAX_SECONDS} -w '\\n%{http_code}'`;
  const { stdout } = await run('sh', ['-c', command.replaceAll(DOCUMENTED, url) + options], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
}

async function byFetch(command: string, url: string): Promise<{ status: number; text: string }> {
  const [, name = '', maker, field = ''] = MADE.exec(command) ?? [];
  const { method, headers, body, ...request } = requestOf(command);
  let address = request.url.replace(DOCUMENTED, url);
  if (maker !== undefined) {
    const made = JSON.parse((await byFetch(maker, url)).text) as Readonly<Record<string, string>>;
    address = address.replace(`$${name}`, made[field] ?? '');
  }
  const answer = await fetch(address, { method, headers: [...headers], ...(body !== undefined && { body }) });
  return { status: answer.status, text: await answer.text() };
}

/** What a command of the page asks for: the options that the page uses, and no others. */
export function requestOf(command: string): Request {
  const [curl, silent, ...words] = wordsOf(command.replace(MADE, ''));
  if (curl !== 'curl' || silent !== '-s') throw new Error(`expected curl -s, got: ${command}`);
  const request = {
    method: 'GET',
    url: '',
    headers: [] as [string, string][],
    body: undefined as string | undefined,
  };
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (word === '-X') request.method = words.shift() ?? '';
    else if (word === '-H') request.headers.push(headerOf(words.shift() ?? ''));
    else if (word === '-d') request.body = words.shift();
    else if (word.startsWith(DOCUMENTED)) request.url = word;
    else throw new Error(`did not expect ${word} in: ${command}`);
  }
  return request;
}

/** The words of a command as a shell takes them: bare, or in single quotes. */
function wordsOf(command: string): string[] {
  const words = command.replaceAll('\\\n', ' ').matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/g);
  return Array.from(words, ([word]) => word.replaceAll(/'([^']*)'|\\(.)/g, '$1$2'));
}

function headerOf(text: string): [string, string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1).trim()];
}
