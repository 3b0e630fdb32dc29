/**
 * The program of a helper process: opens the token that its parent names, and does what the parent asks, over the
 * socket that it finds as file descriptor 3. It ends with the socket, so with the parent, however that ends.
 */
import { Socket } from 'node:net';
import { openNativePort } from '../native-token.ts';
import type { TokenPort } from '../token-port.ts';
import { FrameChannel, type Frame } from './frames.ts';
import {
  isList,
  MESSAGES,
  openedFrame,
  readOpen,
  readSubmit,
  refusedFrame,
  replyFrame,
  stateFrame,
} from './messages.ts';

const CHANNEL = 3;
/** How long logging out may take when the parent is gone. */
const FAREWELL_MS = 5_000;
/** How often the parent is told how the token is while nothing is asked of it, because it is away. */
const STATE_MS = 50;

// Ctrl-C and service managers signal whole groups of processes, while the parent still has requests to finish.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const socket = new Socket({ fd: CHANNEL, readable: true, writable: true });
const channel = new FrameChannel(socket, receive, leave);
const underWay = new Set<Promise<unknown>>();
let port: TokenPort | undefined;
let watch: NodeJS.Timeout | undefined;
let isLeaving = false;

function receive(frame: Frame): void {
  switch (frame.numbers[0] ?? 0) {
    case MESSAGES.open:
      void open(frame);
      return;
    case MESSAGES.submit: {
      const submission = submit(frame).finally(() => underWay.delete(submission));
      underWay.add(submission);
      return;
    }
    case MESSAGES.close:
      leave();
      return;
    default:
      throw new RangeError('no message for a helper');
  }
}

async function open(frame: Frame): Promise<void> {
  const options = readOpen(frame);
  try {
    const opened = await openNativePort(options);
    port = opened;
    channel.send(openedFrame(opened.info, opened.state()));
  } catch (error) {
    channel.send(refusedFrame(error));
  } finally {
    options.pin.fill(0);
  }
}

async function submit(frame: Frame): Promise<void> {
  const { request, submission } = readSubmit(frame);
  if (port === undefined) throw new RangeError('a request before the token is open');
  const reply = await port.submit(...submission);
  const state = port.state();
  channel.send(replyFrame(request, state, reply));
  for (const output of isList(reply) ? reply : [reply]) output.fill(0);
  if (state.circuit === 'open') watch ??= setInterval(tellState, STATE_MS, port);
}

function tellState(from: TokenPort): void {
  const state = from.state();
  channel.send(stateFrame(state));
  if (state.circuit === 'closed') {
    clearInterval(watch);
    watch = undefined;
  }
}

/** Answers what is at work, logs out, and ends the process; a module that hangs does not keep it. */
function leave(): void {
  if (port === undefined) process.exit();
  if (socket.destroyed) setTimeout(() => process.exit(), FAREWELL_MS);
  if (isLeaving) return;
  isLeaving = true;
  void finish(port);
}

async function finish(from: TokenPort): Promise<void> {
  await from.close();
  await Promise.all(underWay);
  socket.end(() => process.exit());
}
