import { type Socket, connect } from 'node:net';

/**
 * A bare TCP connection that speaks whatever bytes a test gives it and splits what comes back into frames: for broken and hostile
 * input, and to see that a broker answers at all.
 */
export class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #waiters: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const wake = () => {
      for (const waiter of this.#waiters.splice(0)) waiter();
    };
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      wake();
    });
    // A reset is one way for the other side to end the connection; `closed` tells.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
      wake();
    });
  }

  /** Connects. @throws Error of the system when nobody listens. */
  static open(port: number, host = '127.0.0.1'): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** True once either side has ended the connection. */
  get closed(): boolean {
    return this.#ended;
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Sends a frame: size prefix and content. */
  writeFrame(content: Buffer): void {
    this.write(frame(content));
  }

  /** The next whole frame without its size prefix. @throws Error when the connection ends or `timeoutMs` pass before. */
  async readFrame(timeoutMs: number): Promise<Buffer> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const size = this.#received.length >= 4 ? this.#received.readInt32BE(0) : Number.POSITIVE_INFINITY;
      if (this.#received.length >= 4 + size) {
        const content = Buffer.from(this.#received.subarray(4, 4 + size));
        this.#received = this.#received.subarray(4 + size);
        return content;
      }
      if (this.#ended) throw new Error(`the connection ended with ${this.#received.length} bytes of a frame`);
      if (!(await this.#change(deadlineMs))) throw new Error(`no frame within ${timeoutMs} ms`);
    }
  }

  /** Resolves true when the connection ends within `timeoutMs`, else false. */
  async waitClosed(timeoutMs: number): Promise<boolean> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!this.#ended) if (!(await this.#change(deadlineMs))) return false;
    return true;
  }

  /** Ends the connection at once. */
  close(): void {
    this.#socket.destroy();
  }

  /** Resolves true at the next event of the socket, false at the deadline. */
  #change(deadlineMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), Math.max(0, deadlineMs - performance.now()));
      this.#waiters.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}

/** A frame: int32 size, then the content. */
export function frame(content: Buffer): Buffer {
  const out = Buffer.alloc(4 + content.length);
  out.writeInt32BE(content.length, 0);
  content.copy(out, 4);
  return out;
}

/** A request header v1 (api key, version, correlation id, client id) and a body. */
export function request(apiKey: number, apiVersion: number, correlationId: number, body: Buffer): Buffer {
  const clientId = Buffer.from('raw');
  const header = Buffer.alloc(10 + clientId.length);
  header.writeInt16BE(apiKey, 0);
  header.writeInt16BE(apiVersion, 2);
  header.writeInt32BE(correlationId, 4);
  header.writeInt16BE(clientId.length, 8);
  clientId.copy(header, 10);
  return Buffer.concat([header, body]);
}

/** ApiVersions v0, the smallest request there is. */
export function apiVersionsRequest(correlationId: number): Buffer {
  return request(18, 0, correlationId, Buffer.alloc(0));
}

/** True when the broker at the port answers an ApiVersions request without an error. */
export async function answers(port: number, timeoutMs = 1_000): Promise<boolean> {
  let connection: RawConnection | null = null;
  try {
    connection = await RawConnection.open(port);
    connection.writeFrame(apiVersionsRequest(7));
    const content = await connection.readFrame(timeoutMs);
    return content.readInt32BE(0) === 7 && content.readInt16BE(4) === 0;
  } catch {
    return false;
  } finally {
    connection?.close();
  }
}
