import type { Server } from 'node:http';

/**
 * Takes no new connections, lets requests under way be answered, and closes what is left after `timeoutMs`. For HTTPS
 * servers as well.
 */
export async function closeServer(server: Pick<Server, CloseMethods>, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  const deadline = setTimeout(() => {
    server.closeAllConnections();
  }, timeoutMs);
  await closed;
  clearTimeout(deadline);
}

type CloseMethods = 'close' | 'closeAllConnections' | 'closeIdleConnections';
