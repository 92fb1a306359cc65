// Runs once in each instance, before the script is compiled: takes away what a script must not have, and leaves
// `__compile`, which the host calls with the source. What is needed during a run is kept in constants here, since a
// script may replace every property that it can reach; the host lays the memory back before the next run.
(() => {
  'use strict';
  const unwanted = ['WebAssembly', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval',
    'queueMicrotask', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'btoa', 'atob', 'eval'];
  for (const name of unwanted) delete globalThis[name];
  const { stringify, parse } = JSON, { freeze, values } = Object, { imul } = Math;
  const NewFunction = Function, toText = String, TooMuch = RangeError, WrongType = TypeError;
  const cut = Function.prototype.call.bind(String.prototype.substring);
  Function.prototype.constructor = undefined;
  const MAX_EFFECTS = 20, MAX_OUTPUT = 65536, MAX_LOG = 4096, MAX_MESSAGE = 500, MAX_STACK = 2000;

  let effects, count, problem, log;
  const emit = (effect) => {
    const text = stringify(effect);
    if (text === undefined || text[0] !== '{') {
      throw new WrongType('emit takes an object, such as {kind: "set_field", field: "size", value: "L"}');
    }
    count += 1;
    if (count > MAX_EFFECTS) problem = `more than ${MAX_EFFECTS} effects`;
    else if (effects.length + text.length > MAX_OUTPUT) problem = `more than ${MAX_OUTPUT} bytes of effects`;
    else effects += (effects && ',') + text;
    if (problem) throw new TooMuch(problem);
  };
  const write = (...parts) => {
    for (let index = 0; index < parts.length && log.length < MAX_LOG; index += 1) {
      log += cut((index ? ' ' : '') + toText(parts[index]), 0, MAX_LOG - log.length);
    }
    if (log.length < MAX_LOG) log += '\n';
  };
  globalThis.console = freeze({ log: write, info: write, warn: write, error: write });

  // xoshiro128** (Blackman and Vigna, 2018).
  const seeded = ([a, b, c, d]) => () => {
    const scrambled = imul(b, 5), result = imul((scrambled << 7) | (scrambled >>> 25), 9), t = b << 9;
    c ^= a; d ^= b; b ^= c; a ^= d; c ^= t; d = (d << 11) | (d >>> 21);
    return (result >>> 0) / 4294967296;
  };
  const described = (error) => {
    try {
      return [toText(error.name), cut(toText(error.message), 0, MAX_MESSAGE), cut(toText(error.stack), 0, MAX_STACK)];
    } catch {
      return ['', '', ''];
    }
  };

  globalThis.__compile = (source) => {
    delete globalThis.__compile;
    const main = new NewFunction('__names', '__emit', '__at_end', source);
    globalThis.__run = (text) => {
      effects = ''; count = 0; problem = undefined; log = '';
      const { names, seed } = parse(text);
      for (const each of values(names)) if (typeof each === 'object') freeze(each);
      Math.random = seeded(seed);
      let url, thrown = null;
      try {
        main(names, emit, (get) => { url = get; });
        url = stringify(url());
      } catch (error) {
        thrown = stringify(described(error));
      }
      return `{"effects":[${effects}],"returnUrl":${thrown || url === undefined ? null : url},"log":${stringify(log)},` +
        `"problem":${problem === undefined ? null : stringify(problem)},"thrown":${thrown}}`;
    };
  };
})();
0
