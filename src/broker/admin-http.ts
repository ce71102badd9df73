import type { Logger } from '../base/logger.ts';
import type { HttpHandler, HttpResponse } from '../io/http.ts';
import type { MetricsPage } from './metrics.ts';

/** What the admin port tells. */
export interface AdminSources {
  readonly metrics: MetricsPage;
  /** Null when the broker serves, else why not. */
  readonly unhealthy: () => string | null;
  readonly logger: Logger;
}

const TEXT = 'text/plain; charset=utf-8';

/**
 * The admin port's pages: `/metrics` for Prometheus, `/healthz` (200 when the broker serves clients, 503 with the reason when not). They hold nothing that a client's
 * records say, and change nothing.
 */
export function adminHandler(sources: AdminSources): HttpHandler {
  return ({ method, path }, respond) => {
    if (method !== 'GET' && method !== 'HEAD') return respond(text(405, 'only GET and HEAD are answered\n'));
    if (path === '/healthz') return respond(health(sources));
    if (path === '/metrics') return metrics(sources, respond);
    return respond(text(404, 'there are /metrics and /healthz\n'));
  };
}

function health({ unhealthy }: AdminSources): HttpResponse {
  const reason = unhealthy();
  return reason === null ? text(200, 'ok\n') : text(503, `${reason}\n`);
}

function metrics({ metrics: page, logger }: AdminSources, respond: (response: HttpResponse) => void): void {
  page.render().then(
    ({ contentType, body }) => respond({ status: 200, contentType, body }),
    (error: unknown) => {
      logger.error('The metrics page could not be made', { error });
      respond(text(500, 'the metrics could not be read\n'));
    },
  );
}

function text(status: number, body: string): HttpResponse {
  return { status, contentType: TEXT, body };
}
