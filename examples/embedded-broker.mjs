// A broker inside this process, and kafkajs talking to it over TCP as it would to any Kafka:
//   npm run build && node examples/embedded-broker.mjs
import { Kafka, logLevel } from 'kafkajs';
import { Broker } from 'odradek';

const broker = await Broker.start();
console.log(`a broker listens on ${broker.bootstrapServers}`);

const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: 'spool', numPartitions: 3 }] });

const producer = kafka.producer();
await producer.connect();
await producer.send({
  topic: 'spool',
  messages: Array.from({ length: 9 }, (_, i) => ({ partition: i % 3, value: `thread ${i}` })),
});

const offsets = await admin.fetchTopicOffsets('spool');
for (const { partition, high } of offsets.sort((a, b) => a.partition - b.partition)) {
  console.log(`partition ${partition} holds ${high} records`);
}

await producer.disconnect();
await admin.disconnect();
await broker.close();
