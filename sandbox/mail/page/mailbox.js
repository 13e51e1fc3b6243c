// The mailbox: lists what has arrived, shows one message, and looks again
// whenever the event stream says that there is something new.
'use strict';

const $ = (id) => document.getElementById(id);
const read = new Set();
let messages = [];
let chosen = 0;
let asText = false;

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const when = (text) => {
  const at = new Date(text);
  return at.toDateString() === new Date().toDateString() ? hour.format(at) : day.format(at);
};

const make = (tag, className, text) => {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
};

const bytes = (n) => (n < 1024 ? `${n} bytes` : n < 1 << 20 ? `${Math.round(n / 1024)} kB` : `${(n / (1 << 20)).toFixed(1)} MB`);

function showList() {
  const rows = messages.map((m) => {
    const row = make('li', read.has(m.id) ? '' : 'unread');
    const button = make('button');
    button.type = 'button';
    button.setAttribute('aria-current', String(m.id === chosen));
    const time = make('time', '', when(m.at));
    time.dateTime = m.at;
    const some = m.text.replace(/\s+/g, ' ').trim().slice(0, 140);
    button.append(make('span', 'who', m.envelopeTo.join(', ')), time, make('span', 'what', m.subject || '(no subject)'), make('span', 'some', some));
    button.addEventListener('click', () => choose(m.id));
    row.append(button);
    return row;
  });
  const at = document.activeElement && $('messages').contains(document.activeElement) ? chosen : 0;
  $('messages').replaceChildren(...rows);
  if (at) rows[messages.findIndex((m) => m.id === at)]?.firstChild.focus();
  $('empty').hidden = rows.length > 0;
}

function choose(id) {
  const m = messages.find((m) => m.id === id);
  chosen = m ? id : 0;
  $('message').hidden = !m;
  $('nothing').hidden = !!m;
  $('main').classList.toggle('reading', !!m);
  if (m) {
    read.add(id);
    $('subject').textContent = m.subject || '(no subject)';
    $('from').textContent = (m.from || m.envelopeFrom).replace(/^"(.*)" </, '$1 <');
    $('recipients').textContent = m.envelopeTo.join(', ');
    $('at').textContent = full.format(new Date(m.at));
    $('at').dateTime = m.at;
    const base = `/sandbox/mail/messages/${m.id}`;
    $('raw').href = `${base}/raw`;
    $('attachments').replaceChildren(...m.attachments.map((a, n) => {
      const item = make('li');
      const link = make('a', '', `${a.name} · ${bytes(a.size)}`);
      link.href = `${base}/attachments/${n}`;
      link.download = a.name;
      item.append(link);
      return item;
    }));
    $('text').textContent = m.text;
    $('text').lang = $('html').lang = m.language || '';
    if ($('html').getAttribute('src') !== `${base}/html`) $('html').setAttribute('src', `${base}/html`);
    $('as-html').hidden = !m.html;
    showAs(asText || !m.html);
    history.replaceState(null, '', `#${m.id}`);
  }
  showList();
}

function showAs(text) {
  $('html').hidden = text;
  $('text').hidden = !text;
  $('as-html').setAttribute('aria-pressed', String(!text));
  $('as-text').setAttribute('aria-pressed', String(text));
}

let asking = null;

async function refresh() {
  asking?.abort();
  const mine = (asking = new AbortController());
  const to = $('to').value.trim();
  try {
    const answer = await fetch(`/sandbox/mail/messages${to ? `?to=${encodeURIComponent(to)}` : ''}`, { signal: mine.signal });
    if (!answer.ok) return;
    messages = (await answer.json()).messages;
  } catch {
    return; // the stream comes back, and with it the next look
  }
  if (!chosen) choose(Number(location.hash.slice(1)));
  else showList();
}

function live(on) {
  $('live').dataset.state = on ? 'on' : 'off';
  $('live-text').textContent = on ? 'Live' : 'Connecting';
}

$('as-html').addEventListener('click', () => showAs(asText = false));
$('as-text').addEventListener('click', () => showAs(asText = true));
$('back').addEventListener('click', () => { choose(0); history.replaceState(null, '', location.pathname); });
$('to').addEventListener('input', refresh);

const stream = new EventSource('/sandbox/mail/events');
stream.addEventListener('open', () => live(true));
stream.addEventListener('error', () => live(false));
stream.addEventListener('message', refresh); // the first comes at once
