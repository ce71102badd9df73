/** What a client of a topic is told of it. */
export interface TopicFacts {
  /** `flush.messages=1`; see `TopicPlan`. */
  readonly durable: boolean;
  readonly topicId: string;
  /** How events call it: its name, and which of its incarnations it is. */
  readonly label: string;
}
