import type { Message } from "./message.ts";
import type { Published, PublishOptions } from "./publisher.ts";
import type { RequestOptions, ServeOptions } from "./questions.ts";
import type { SubscribeOptions } from "./subscribe_options.ts";
import type { Subscription } from "./subscription.ts";
import type { Worker, WorkHandler, WorkOptions } from "./worker.ts";

/**
 * A topic whose data has a type: `Input` is what is published, `Output` what a schema makes of it. With a schema, what is
 * published is checked before it is sent, and what comes before it is handed out; either throws `invalid_data`.
 */
export interface Topic<Input, Output = Input> {
  readonly name: string;
  publish(data: Input, options?: PublishOptions): Promise<Published>;
  subscribe(options?: Omit<SubscribeOptions<Output>, "schema">): Subscription<Output>;
  work(
    group: string,
    handler: WorkHandler<Output>,
    options?: Omit<WorkOptions<Output>, "schema">,
  ): Worker<Output>;
  request(data: Input, options?: RequestOptions): Promise<Message>;
  serve(
    handler: (data: Output, message: Message<Output>) => unknown,
    options?: Omit<ServeOptions<Output>, "schema">,
  ): Worker<Output>;
}
