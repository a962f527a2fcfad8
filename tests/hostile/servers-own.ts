/** Requests that the server itself answers, if permissions allow them. @param stream the name of an existing one */
export const serversOwn = (stream: string): readonly string[] => [
  '$JS.API.INFO', `$JS.API.STREAM.INFO.${stream}`, '$JS.API.STREAM.LIST', '$JS.API.STREAM.NAMES',
  `$JS.API.STREAM.MSG.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}`, '$JS.API.STREAM.CREATE.X',
  `$JS.API.STREAM.UPDATE.${stream}`, `$JS.API.STREAM.DELETE.${stream}`, `$JS.API.STREAM.PURGE.${stream}`,
  `$JS.API.STREAM.MSG.DELETE.${stream}`, `$JS.API.STREAM.SNAPSHOT.${stream}`, `$JS.API.STREAM.RESTORE.${stream}`,
  `$JS.API.STREAM.PEER.REMOVE.${stream}`, `$JS.API.STREAM.LEADER.STEPDOWN.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.c`, `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.c`,
  `$JS.API.CONSUMER.INFO.${stream}.c`, `$JS.API.CONSUMER.MSG.NEXT.${stream}.c`,
  `$JS.API.CONSUMER.DELETE.${stream}.c`, `$JS.API.CONSUMER.PAUSE.${stream}.c`, `$JS.API.CONSUMER.UNPIN.${stream}.c`,
  `$JS.API.CONSUMER.RESET.${stream}.c`, `$JS.API.CONSUMER.LEADER.STEPDOWN.${stream}.c`,
  '$JS.API.META.LEADER.STEPDOWN', '$JS.API.SERVER.REMOVE', '$JS.API.ACCOUNT.PURGE.$G',
  '$JS.API.ACCOUNT.STREAM.MOVE.$G.X', `$JS.ACK.${stream}.c.1.1.1.1.0`, `$JS.FC.${stream}.c.x`,
  `$JS.SNAPSHOT.ACK.${stream}.x`, '$SYS.REQ.USER.INFO', '$SYS.REQ.ACCOUNT.PING.CONNZ', '$SYS.REQ.ACCOUNT.PING.STATZ',
  '$SYS.REQ.SERVER.PING', '$SYS.DEBUG.SUBSCRIBERS',
];
