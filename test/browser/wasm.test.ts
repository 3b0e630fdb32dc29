/** The WebAssembly core in a real browser, against the native addon. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCore } from '../../src/core/index.ts';
import { findWasm } from '../../src/core/load-wasm.ts';
import type { PlainCore } from '../../src/core/wasm.ts';
import { openSite, type Site } from './site.ts';

const EXECUTABLE = process.env['KEYWRIGHT_CHROMIUM'] ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// CI must run it: there, what is missing is an error.
const isReady = existsSync(EXECUTABLE) && findWasm() !== undefined;
const isRequired = process.env['CI'] === 'true';
const hint = isReady || isRequired ? '' : ` (skipped: needs ${EXECUTABLE} and script/wasm)`;

/** What the page puts there for the functions below, which run in it. */
declare const starting: Promise<PlainCore>;
declare const core: PlainCore;

describe.skipIf(!isReady && !isRequired)(`WebAssembly core in Chromium${hint}`, () => {
  const profile = mkdtempSync(path.join(tmpdir(), 'keywright-chromium-'));
  const errors: string[] = [];
  let site: Site;
  let browser: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    site = await openSite();
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: EXECUTABLE,
      headless: true,
      args: ARGUMENTS,
    });
    page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${site.origin}/`);
    await page.evaluate(async () => Object.assign(globalThis, { core: await starting }));
  });

  afterAll(async () => {
    await browser.close();
    site.close();
    rmSync(profile, { recursive: true, force: true });
  });

  it('says what it is', async () => {
    const info = await page.evaluate(() => core.info());
    expect(info).toMatchObject({ binding: 'wasm', isOwnLibcrypto: true, secureHeap: { isLocked: false } });
    expect(info.opensslVersion).toBe(loadCore('napi').info().opensslVersion);
  });

  it('gives back what it encrypted, as Uint8Arrays', async () => {
    const text = await page.evaluate(() => {
      const key = core.generateKey('backing');
      const header = new Uint8Array([1, 2, 3]);
      const context = new TextEncoder().encode('context');
      const blob = core.encryptMessage(key, header, context, new TextEncoder().encode('from the page'));
      const plaintext = core.decryptMessage(key, header.length, blob, context);
      return `${plaintext.constructor.name}: ${new TextDecoder().decode(plaintext)}`;
    });
    expect(text).toBe('Uint8Array: from the page');
  });

  it('opens what the native addon encrypted, and the other way round', async () => {
    const native = loadCore('napi');
    const bytes = native.randomBytes(32);
    const key = native.importKey('backing', bytes);
    const [header, context] = [Buffer.from('header'), Buffer.from('context')];
    const blob = native.encryptMessage(key, header, context, Buffer.from('from the addon'));

    const answer = await page.evaluate(
      (given) => {
        const [keyBytes, headerBytes, contextBytes, sealed] = given.map((numbers) => Uint8Array.from(numbers));
        const pageKey = core.importKey('backing', keyBytes!);
        const opened = core.decryptMessage(pageKey, headerBytes!.length, sealed!, contextBytes!);
        const reply = new TextEncoder().encode('from the page');
        const sealedReply = core.encryptMessage(pageKey, headerBytes!, contextBytes!, reply);
        return { text: new TextDecoder().decode(opened), blob: [...sealedReply] };
      },
      [bytes, header, context, blob].map((part) => [...part]),
    );
    expect(answer.text).toBe('from the addon');
    const reply = native.decryptMessage(key, header.length, Buffer.from(answer.blob), context);
    expect(reply.toString()).toBe('from the page');
  });

  it('fails with the same errors', async () => {
    const failure = await page.evaluate(() => {
      try {
        core.decrypt(core.generateKey('aesGcm'), new Uint8Array(40));
        return 'nothing';
      } catch (error) {
        return (error as { status?: string }).status;
      }
    });
    expect(failure).toBe('authenticationFailed');
  });

  it('signs with a key pair that it made, and the addon verifies', async () => {
    const { spki, signature } = await page.evaluate(() => {
      const pair = core.generateKeyPair('p256');
      const made = core.sign(pair, 'ECDSA_SHA_256', 'RAW', new TextEncoder().encode('signed in a page'));
      return { spki: [...core.exportPublicKey(pair)], signature: [...made] };
    });
    const native = loadCore('napi');
    const publicKey = native.importPublicKey('p256', Uint8Array.from(spki));
    const message = Buffer.from('signed in a page');
    expect(native.verify(publicKey, 'ECDSA_SHA_256', 'RAW', message, Uint8Array.from(signature))).toBe(true);
  });

  it('needed nothing but its own modules, and no error was left', () => {
    const paths = site.requests.filter((url) => url !== '/favicon.ico');
    expect(paths.filter((url) => !/^\/(start\.js|core\/[a-z-]+\.js|keywright\.wasm)?$/.test(url))).toEqual([]);
    expect(errors).toEqual([]);
  });
});
