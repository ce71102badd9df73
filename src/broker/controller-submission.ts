import type { ControllerApiKey, ControllerApis } from '../controller/controller-request.ts';
import type { ControllerAnswer, ControllerChannel, ForwardContext } from './controller-channel.ts';

/** Rank of the newest API versions the broker half itself speaks through the channel. */
const REGISTRATION_VERSION = 4;
const HEARTBEAT_VERSION = 1;
const ALTER_PARTITION_VERSION = 3;

/** The channel to a controller of this very process: every call is a request to it, in the newest version. */
export abstract class ControllerSubmission implements ControllerChannel {
  /** Has the controller answer; `done` is called once, in a later turn. */
  protected abstract submit<K extends ControllerApiKey>(
    apiKey: K,
    apiVersion: number,
    body: ControllerApis[K]['request'],
    done: ControllerAnswer<K>,
  ): void;

  register(request: ControllerApis[62]['request'], done: ControllerAnswer<62>): void {
    this.submit(62, REGISTRATION_VERSION, request, done);
  }

  heartbeat(request: ControllerApis[63]['request'], done: ControllerAnswer<63>): void {
    this.submit(63, HEARTBEAT_VERSION, request, done);
  }

  allocateProducerIds(request: ControllerApis[67]['request'], done: ControllerAnswer<67>): void {
    this.submit(67, 0, request, done);
  }

  alterPartition(request: ControllerApis[56]['request'], done: ControllerAnswer<56>): void {
    this.submit(56, ALTER_PARTITION_VERSION, request, done);
  }

  assignReplicasToDirs(request: ControllerApis[73]['request'], done: ControllerAnswer<73>): void {
    this.submit(73, 0, request, done);
  }

  forward<K extends ControllerApiKey>(
    apiKey: K,
    apiVersion: number,
    request: ControllerApis[K]['request'],
    _context: ForwardContext,
    done: ControllerAnswer<K>,
  ): void {
    this.submit(apiKey, apiVersion, request, done);
  }
}
