import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { kafkaBrokerConfigs } from './broker-configs.ts';
import { checkText, type ConfigTable, double, int } from './definition.ts';
import { dynamicGroupConfigs } from './tables/group.ts';
import { topicConfigs } from './tables/topic.ts';

/** What Kafka's own ConfigDef makes of texts, for one config of every type and rule. */
interface Golden {
  readonly table: 'broker' | 'topic' | 'group';
  readonly name: string;
  /** Texts that it takes, with its own spelling of the value. */
  readonly accepted: Record<string, string>;
  readonly refused: readonly string[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../testdata/config/values.json', import.meta.url), 'utf8'),
) as Golden[];
const tables: Record<Golden['table'], ConfigTable> = {
  broker: kafkaBrokerConfigs,
  topic: topicConfigs,
  group: dynamicGroupConfigs,
};

test('values of every type and rule are taken, spelled and refused as Kafka does', () => {
  assert.ok(golden.length > 40);
  for (const { table, name, accepted, refused } of golden) {
    const definition = tables[table][name];
    assert.ok(definition !== undefined, name);
    for (const [text, spelled] of Object.entries(accepted)) {
      assert.equal(checkText(definition, text).typed?.text, spelled, `${name} = "${text}"`);
    }
    for (const text of refused)
      assert.notEqual(checkText(definition, text).problem, null, `${name} = "${text}"`);
  }
});

test('a default that is not in its own spelling is a bug', () => {
  assert.throws(() => int({ default: 0.5, importance: 'LOW', doc: 'No.' }), /default 0.5/);
  assert.equal(double({ default: 1, importance: 'LOW', doc: 'Yes.' }).defaultText, '1.0');
});
