// tslab's side of Jupyter's messages: sending without blocking, errors, queued cells, and printing that does not flood.

/** tslab does not await send(). With sendTimeout 0 a send never waits, so zeromq has no reason to say "Socket is busy writing". */
function installSockets(load) {
  const zmq = load('zeromq');
  class Publisher extends zmq.Publisher {
    constructor(options) { super({ sendTimeout: 0, sendHighWaterMark: 0, ...options }); }
  }
  require.cache[load.resolve('zeromq')].exports = Object.create(zmq, { Publisher: { value: Publisher, enumerable: true } });
}

const FLUSH_AFTER = 50, FLUSH_SIZE = 1 << 16;

/** Joins writes to one stream; sends when 50 ms have passed since the last message, or in the next turn of the event loop. */
function joinWrites(writeStream) {
  let name = '', text = '', last = 0, scheduled = false;
  const flush = () => {
    if (text) writeStream(name, text);
    text = '';
    last = performance.now();
  };
  const write = (stream, more) => {
    if (stream !== name) flush();
    name = stream;
    text += more;
    if (text.length > FLUSH_SIZE || performance.now() - last > FLUSH_AFTER) flush();
    else if (!scheduled) {
      scheduled = true;
      setImmediate(() => { scheduled = false; flush(); });
    }
  };
  return { write, flush };
}

function installHandlers(load, cells) {
  const jupyter = load('./dist/jupyter.js');
  const { TaskQueue } = load('./dist/util.js');

  // After a failed cell tslab drops what arrives in the next 200 ms, but a client may say "stop_on_error: false", as nbclient and
  // JupyterLab do for cells tagged raises-exception.
  let running = null;
  const goOn = (request) => request?.stop_on_error === false;
  const { handleExecuteImpl } = jupyter.JupyterHandlerImpl.prototype;
  jupyter.JupyterHandlerImpl.prototype.handleExecuteImpl = function handle(request, ...rest) {
    running = request;
    cells.setCellNumber(this.execCount + 1);
    return handleExecuteImpl.call(this, request, ...rest);
  };
  const { reset } = TaskQueue.prototype;
  TaskQueue.prototype.reset = function resetLater(delay) {
    if (!(delay && goOn(running))) reset.call(this, delay);
  };

  const { handleExecute } = jupyter.ZmqServer.prototype;
  jupyter.ZmqServer.prototype.handleExecute = function execute(socket, message) {
    const publish = (type, content) => {
      const reply = message.createReply();
      reply.header.msg_type = type;
      reply.content = content;
      reply.signAndSend(this.connInfo.key, this.iopub);
    };
    const handleCell = async (request, writeStream, writeDisplayData) => {
      const { write, flush } = joinWrites(writeStream);
      const display = (...args) => { flush(); writeDisplayData(...args); };
      const pending = this.handler.handleExecute(request, write, display);
      if (goOn(request)) this.handler.execQueue.prev = this.handler.execQueue.prev.catch(() => {});
      const reply = await pending;
      flush();
      if (reply.status === 'abort') return { ...reply, status: 'aborted' };
      if (reply.status !== 'error') return reply;
      const content = cells.takeFailure() ?? { ename: 'Error', evalue: 'the cell failed without saying why', traceback: ['the cell failed without saying why'] };
      publish('error', content);
      return { ...reply, ...content };
    };
    // Same handler, one method replaced: it needs this message to answer to.
    const handler = Object.create(this.handler, { handleExecute: { value: handleCell } });
    return handleExecute.call(Object.create(this, { handler: { value: handler } }), socket, message);
  };
}

/** Ends the kernel when the process that started it is gone: nobody else knows its ports. */
function endWithParent() {
  const parent = process.ppid;
  if (process.env.JPY_PARENT_PID && parent > 1) setInterval(() => { if (process.ppid !== parent) process.exit(1); }, 2000).unref();
}

module.exports = { installSockets, installHandlers, endWithParent };
