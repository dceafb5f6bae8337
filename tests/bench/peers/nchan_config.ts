/** What nginx is told. */

/** Options of {@link nchanConfig}. */
export interface NchanConfigOptions {
  /** Path of the module nchan. */
  readonly module: string;
  /** Where nginx may write. */
  readonly dir: string;
  readonly port: number;
  /** Where it keeps the messages. `undefined`: in its own memory. */
  readonly redisUrl: string | undefined;
}

/**
 * The configuration: a worker for each core, as Debian has it too (one was slower on two cores), one channel with a
 * buffer that no reader falls out of, and no log of requests.
 */
export function nchanConfig({ module, dir, port, redisUrl }: NchanConfigOptions): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${dir}/${name};`);
  const store = redisUrl === undefined
    ? []
    : [`upstream store { nchan_redis_server ${redisUrl}; }`];
  return `load_module ${module};
daemon off;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
worker_processes auto;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off;
  ${temporary.join("\n  ")}
  client_body_buffer_size 64k;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  nchan_shared_memory_size 512M;
  ${store.join("\n  ")}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    nchan_channel_id bench;
    nchan_message_buffer_length 10000;
    nchan_message_timeout 1m;
    ${redisUrl === undefined ? "" : "nchan_redis_pass store;"}
    location = /publish { nchan_publisher; }
    location = /subscribe { nchan_subscriber eventsource; nchan_subscriber_first_message newest; }
  }
}
`;
}
