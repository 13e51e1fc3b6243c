// What the phone and the mailbox share: times, elements, the filter, the
// switch between them on narrow screens, and the streams that say when to look
// again.
'use strict';

const $ = (id) => document.getElementById(id);

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const isToday = (at) => at.toDateString() === new Date().toDateString();
const when = (text) => (isToday(new Date(text)) ? hour : day).format(new Date(text));

const make = (tag, className, text) => {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
};

const timeOf = (text, shown) => {
  const e = make('time', '', shown ?? when(text));
  e.dateTime = text;
  e.title = full.format(new Date(text));
  return e;
};

const wanted = () => $('who').value.trim().toLowerCase().replace(/^([+\d][\d ]*)$/, (n) => n.replaceAll(' ', ''));
const narrow = matchMedia('(max-width: 60rem)');

// announce tells those who do not see the screen.
const announce = (text) => { $('news').textContent = text; };

// count says how much is unread in a part that may be out of sight.
const unread = {};
const count = (part, n) => {
  unread[part] = n;
  const badge = document.querySelector(`[data-count="${part}"]`);
  if (badge) badge.textContent = n ? ` ${n} new` : '';
  const all = Object.values(unread).reduce((a, b) => a + b, 0);
  document.title = all ? `(${all}) Sandbox` : 'Sandbox';
};

for (const button of document.querySelectorAll('[data-show]')) {
  button.addEventListener('click', () => {
    document.body.dataset.view = button.dataset.show;
    for (const b of document.querySelectorAll('[data-show]')) b.setAttribute('aria-pressed', String(b === button));
    document.dispatchEvent(new Event('switched'));
  });
}
// isSeen reports whether a part is on the screen.
const isSeen = (part) => !narrow.matches || document.body.dataset.view === part;

// Each part has a stream of its own; the page is live when all of them are.
const streams = new Map();

// follow calls look when there may be something new, one call at a time and a
// few times in a second at most.
function follow(address, look) {
  let running = false;
  let again = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      try {
        await look();
      } catch {
        // The stream comes back, and with it the next look.
      }
      await new Promise((done) => setTimeout(done, 150));
    } while (again);
    running = false;
  };
  const tell = (on) => {
    streams.set(address, on);
    const all = [...streams.values()].every(Boolean);
    $('live').dataset.state = all ? 'on' : 'off';
    $('live-text').textContent = all ? 'Live' : 'Connecting';
  };
  tell(false);
  const stream = new EventSource(address);
  stream.addEventListener('open', () => tell(true));
  stream.addEventListener('error', () => tell(false));
  stream.addEventListener('message', run); // the first comes at once
}

async function ask(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}
