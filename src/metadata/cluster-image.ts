import { BrokerError } from '../base/broker-error.ts';
import { type MutableMap, PersistentMap } from '../base/timeline-map.ts';
import type { Uuid } from '../base/uuid.ts';
import type { BrokerRegistrationChangeRecord } from '../protocol/records/broker-registration-change-record.ts';
import type { RegisterBrokerRecord } from '../protocol/records/register-broker-record.ts';
import type { RegisterControllerRecord } from '../protocol/records/register-controller-record.ts';
import {
  type BrokerRegistration,
  type NodeEndpoint,
  type SupportedFeature,
  brokerFromRecord,
  brokerToRecord,
  mergeBroker,
} from './broker-registration.ts';
import { type MetadataRecord, metadataRecord } from './metadata-record.ts';
import { type MetadataVersion, hasControllerRegistration } from './metadata-version.ts';

/** A registered controller, immutable. */
export interface ControllerRegistration {
  readonly id: number;
  readonly incarnationId: Uuid;
  readonly zkMigrationReady: boolean;
  readonly endpoints: readonly NodeEndpoint[];
  readonly features: readonly SupportedFeature[];
}

/** The nodes of the cluster, immutable. */
export class ClusterImage {
  /** No node. */
  static readonly EMPTY = new ClusterImage(PersistentMap.empty(), PersistentMap.empty());

  /** By broker id. */
  readonly brokers: PersistentMap<number, BrokerRegistration>;
  /** By controller id. */
  readonly controllers: PersistentMap<number, ControllerRegistration>;

  constructor(
    brokers: PersistentMap<number, BrokerRegistration>,
    controllers: PersistentMap<number, ControllerRegistration>,
  ) {
    this.brokers = brokers;
    this.controllers = controllers;
  }

  /** The registration of a broker, or undefined. */
  broker(id: number): BrokerRegistration | undefined {
    return this.brokers.get(id);
  }

  /** True if the broker may lead and be shown to clients: registered and not fenced. */
  isUnfenced(id: number): boolean {
    return this.brokers.get(id)?.fenced === false;
  }

  /** Records that make this state. */
  *toRecords(metadataVersion: MetadataVersion): IterableIterator<MetadataRecord> {
    if (hasControllerRegistration(metadataVersion)) {
      for (const controller of byId(this.controllers)) yield controllerToRecord(controller);
    }
    for (const broker of byId(this.brokers)) yield brokerToRecord(broker, metadataVersion);
  }
}

/** What changed of the nodes. */
export class ClusterDelta {
  /** The new registration of each changed broker, null for one that was unregistered. */
  readonly changedBrokers = new Map<number, BrokerRegistration | null>();
  /** The new registration of each changed controller. */
  readonly changedControllers = new Map<number, ControllerRegistration>();
  readonly #brokers: MutableMap<number, BrokerRegistration>;
  readonly #controllers: MutableMap<number, ControllerRegistration>;

  constructor(image: ClusterImage) {
    this.#brokers = image.brokers.toMutable();
    this.#controllers = image.controllers.toMutable();
  }

  /** The broker with the changes so far, or undefined. */
  broker(id: number): BrokerRegistration | undefined {
    return this.#brokers.get(id);
  }

  /** A new incarnation of a broker. */
  replayRegister(record: Readonly<RegisterBrokerRecord>): void {
    this.#set(brokerFromRecord(record));
  }

  /** @throws BrokerError when the record does not fit the registration. */
  replayUnregister(record: { readonly brokerId: number; readonly brokerEpoch: number }): void {
    this.#expect('UnregisterBrokerRecord', record.brokerId, record.brokerEpoch);
    this.#brokers.delete(record.brokerId);
    this.changedBrokers.set(record.brokerId, null);
  }

  /** @throws BrokerError when the record does not fit the registration. */
  replayFence(record: { readonly id: number; readonly epoch: number }, fenced: boolean): void {
    const type = fenced ? 'FenceBrokerRecord' : 'UnfenceBrokerRecord';
    this.#set({ ...this.#expect(type, record.id, record.epoch), fenced });
  }

  /** @throws BrokerError when the record does not fit the registration. */
  replayChange(record: Readonly<BrokerRegistrationChangeRecord>): void {
    const broker = this.#expect('BrokerRegistrationChangeRecord', record.brokerId, record.brokerEpoch);
    this.#set(mergeBroker(broker, record));
  }

  /** A new incarnation of a controller. */
  replayController(record: Readonly<RegisterControllerRecord>): void {
    const controller = controllerFromRecord(record);
    this.#controllers.set(controller.id, controller);
    this.changedControllers.set(controller.id, controller);
  }

  /** The nodes with the changes. */
  apply(): ClusterImage {
    return new ClusterImage(this.#brokers.freeze(), this.#controllers.freeze());
  }

  #set(broker: BrokerRegistration): void {
    this.#brokers.set(broker.id, broker);
    this.changedBrokers.set(broker.id, broker);
  }

  #expect(type: string, id: number, epoch: number): BrokerRegistration {
    const broker = this.#brokers.get(id);
    if (broker === undefined || broker.epoch !== epoch) {
      throw new BrokerError(
        'METADATA_INCONSISTENT',
        `a ${type} names broker ${id} at epoch ${epoch}, but ${broker === undefined ? 'there is no such broker' : `its epoch is ${broker.epoch}`}`,
      );
    }
    return broker;
  }
}

function controllerFromRecord(record: Readonly<RegisterControllerRecord>): ControllerRegistration {
  return {
    id: record.controllerId,
    incarnationId: record.incarnationId,
    zkMigrationReady: record.zkMigrationReady,
    endpoints: record.endPoints,
    features: record.features,
  };
}

function controllerToRecord(controller: ControllerRegistration): MetadataRecord {
  return metadataRecord('RegisterControllerRecord', {
    controllerId: controller.id,
    incarnationId: controller.incarnationId,
    zkMigrationReady: controller.zkMigrationReady,
    endPoints: controller.endpoints.map((endpoint) => ({ ...endpoint })),
    features: controller.features.map((feature) => ({ ...feature })),
  });
}

function byId<T extends { readonly id: number }>(map: PersistentMap<number, T>): T[] {
  return [...map.values()].sort((a, b) => a.id - b.id);
}
