import { ErrorCode } from '../base/errors.ts';
import { CallbackTimer } from '../base/timer-wheel.ts';
import type { ControllerApiKey, ControllerApis } from '../controller/controller-request.ts';
import type { ControllerAnswer } from './controller-channel.ts';
import type { RequestContext } from './request-context.ts';
import type { Services } from './services.ts';

/**
 * Passes a request on to the active controller on behalf of a client. `done` is called once: with the controller's answer, or with
 * REQUEST_TIMED_OUT when the context's deadline passes first (the controller may still do it).
 */
export function forward<K extends ControllerApiKey>(
  services: Pick<Services, 'channel' | 'wheel'>,
  apiKey: K,
  context: RequestContext,
  request: ControllerApis[K]['request'],
  done: ControllerAnswer<K>,
): void {
  let answered = false;
  const answer: ControllerAnswer<K> = (errorCode, response) => {
    if (answered) return;
    answered = true;
    services.wheel.cancel(timer);
    try {
      done(errorCode, response);
    } catch (error) {
      context.fail(error);
    }
  };
  const timer = new CallbackTimer(() => answer(ErrorCode.REQUEST_TIMED_OUT, null));
  services.wheel.schedule(timer, context.deadlineMs);
  const { principal, peerHost } = context.connection;
  services.channel.forward(apiKey, context.apiVersion, request, { principal, clientHost: peerHost }, answer);
}
