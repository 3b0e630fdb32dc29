/** A site on this machine that serves the core as a browser gets it: modules of JavaScript, and the WebAssembly. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import ts from 'typescript';
import { findWasm } from '../../src/core/load-wasm.ts';

const CORE = path.resolve(import.meta.dirname, '../../src/core');

export interface Site {
  readonly origin: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  close(): void;
}

/** The module as the build makes it, from the source of now: dist/ may be older. */
function compiled(file: string): string {
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      rewriteRelativeImportExtensions: true,
      verbatimModuleSyntax: true,
    },
  });
  return outputText;
}

const PAGE = '<!doctype html><title>keywright</title><script type="module" src="/start.js"></script>';
const START = `
  import { loadWasmCore } from '/core/wasm.js';
  globalThis.starting = loadWasmCore(fetch('/keywright.wasm'));
`;

function answer(url: string): { type: string; body: string | Buffer } | undefined {
  if (url === '/') return { type: 'text/html', body: PAGE };
  if (url === '/start.js') return { type: 'text/javascript', body: START };
  // A type that compileStreaming would refuse, as many servers send it.
  if (url === '/keywright.wasm') return { type: 'application/octet-stream', body: readFileSync(findWasm() ?? '') };
  const [, name] = /^\/core\/([a-z0-9-]+)\.js$/.exec(url) ?? [];
  const file = path.join(CORE, `${name}.ts`);
  if (name === undefined || !existsSync(file)) return undefined;
  return { type: 'text/javascript', body: compiled(file) };
}

export async function openSite(): Promise<Site> {
  const requests: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    requests.push(url);
    const found = answer(url);
    // As strict a page as one can be that runs WebAssembly.
    const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
    response.writeHead(found === undefined ? 404 : 200, {
      'content-type': found?.type ?? 'text/plain',
      'content-security-policy': policy,
    });
    response.end(found?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, requests, close: () => server.close() };
}
