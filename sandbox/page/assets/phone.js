// The phone: its conversations, one of them open, and what is answered.
'use strict';

{
  const seen = new Set(); // messages that were on the screen
  let threads = new Map(); // by phone and sender, newest first; messages oldest first
  let open = '';
  let first = true;

  const keyOf = (m) => (m.direction === 'inbound' ? `${m.from} ${m.to}` : `${m.to} ${m.from || m.service}`);
  const pretty = (number) => number.replace(/^(\+1)(\d{3})(\d{3})(\d{4})$/, '$1 $2 $3 $4').replace(/^(\+(?:7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]))(\d{3})(\d+)$/, '$1 $2 $3');

  const arrivesAt = (m) => m.direction !== 'inbound' && (m.status === 'delivered' || m.status === 'undelivered' || m.status === 'sent');
  const isNew = (m) => m.direction !== 'inbound' && !seen.has(m.sid);

  // what each state looks like under a bubble, and is called.
  const states = {
    accepted: ['◷', 'Waiting'], queued: ['◷', 'Waiting'], sent: ['✓', 'Sent'], delivered: ['✓✓', 'Delivered'],
    undelivered: ['!', 'Not delivered'], failed: ['!', 'Not sent'], received: ['', 'Sent'],
  };

  // text makes addresses into links.
  const withLinks = (parent, text) => {
    for (const part of text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])/)) {
      if (/^https?:\/\//.test(part)) {
        const link = make('a', '', part);
        link.href = part;
        link.target = '_blank';
        link.rel = 'noopener noreferrer';
        parent.append(link);
      } else if (part) {
        parent.append(part);
      }
    }
  };

  function showThreads() {
    const want = wanted();
    const shown = [...threads.values()].filter((t) => !want || t.phone.includes(want) || t.sender.toLowerCase().includes(want));
    const focused = document.activeElement?.closest?.('#threads li')?.dataset.key;
    $('threads').replaceChildren(...shown.map((t) => {
      const last = t.messages[t.messages.length - 1];
      const fresh = t.messages.filter(isNew).length;
      const row = make('li', fresh ? 'unread' : '');
      row.dataset.key = t.key;
      const button = make('button');
      button.type = 'button';
      const who = make('span', 'who', pretty(t.phone));
      button.append(make('span', 'face', t.phone.slice(-2)), who, timeOf(last.at), make('span', 'some', last.body.replace(/\s+/g, ' ')));
      button.firstChild.setAttribute('aria-hidden', 'true');
      if (fresh) button.append(make('span', 'badge', String(fresh)));
      button.addEventListener('click', () => { show(t.key); $('to-threads').focus(); });
      row.append(button);
      return row;
    }));
    if (focused) [...$('threads').children].find((row) => row.dataset.key === focused)?.firstChild.focus();
    $('no-threads').hidden = shown.length > 0;
  }

  function showThread() {
    const t = threads.get(open);
    $('thread-view').hidden = !t;
    $('threads-view').hidden = !!t;
    if (!t) return;
    $('sender').textContent = pretty(t.sender);
    $('owner').textContent = `on ${pretty(t.phone)}`;
    const list = $('thread');
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    let lastDay = '';
    const items = [];
    for (const m of t.messages) {
      const at = new Date(m.at);
      if (at.toDateString() !== lastDay) {
        lastDay = at.toDateString();
        items.push(make('li', 'day', isToday(at) ? 'Today' : day.format(at)));
      }
      const item = make('li', m.direction === 'inbound' ? 'mine' : 'theirs');
      item.classList.toggle('failed', m.status === 'undelivered' || m.status === 'failed');
      const bubble = make('p', 'bubble');
      bubble.dir = 'auto';
      withLinks(bubble, m.body);
      const [tick, name] = states[m.status] ?? ['', m.status];
      const state = make('p', 'state');
      state.append(timeOf(m.at, hour.format(at)));
      if (m.direction !== 'inbound') {
        const mark = make('span', 'tick', tick);
        mark.setAttribute('aria-hidden', 'true');
        state.append(mark, make('span', tick === '!' ? '' : 'hidden', m.errorCode ? `${name} (${m.errorCode})` : name));
        if (m.segments > 1) state.append(make('span', '', `${m.segments} segments`));
      }
      item.append(bubble, state);
      items.push(item);
      if (isSeen('phone')) seen.add(m.sid);
    }
    list.replaceChildren(...items);
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  function show(key) {
    open = key;
    $('refused').hidden = true;
    refresh();
    $('thread').scrollTop = $('thread').scrollHeight;
  }

  function refresh() {
    showThread();
    showThreads();
    const fresh = [...threads.values()].flatMap((t) => t.messages).filter(isNew);
    count('phone', fresh.length);
    const elsewhere = fresh.filter((m) => keyOf(m) !== open).length;
    $('elsewhere').hidden = !elsewhere;
    $('elsewhere').replaceChildren(String(elsewhere), make('span', 'hidden', ' new'));
  }

  async function look() {
    const { messages } = await ask('/sandbox/phone/messages');
    const known = new Set([...threads.values()].flatMap((t) => t.messages.map((m) => m.sid)));
    const next = new Map();
    for (const m of messages) {
      if (!m.from && m.service) continue; // nobody has a number for it yet
      const key = keyOf(m);
      if (!next.has(key)) {
        const [phone, sender] = key.split(/ (.*)/);
        next.set(key, { key, phone, sender, messages: [] });
      }
      next.get(key).messages.unshift(m);
    }
    threads = next;
    if (first) {
      for (const m of messages) seen.add(m.sid); // they are not news
    } else {
      const fresh = messages.filter((m) => !known.has(m.sid) && m.direction !== 'inbound' && m.from);
      if (fresh.length) announce(`Message to ${pretty(fresh[0].to)}: ${fresh[0].body}`);
    }
    // The first conversation opens by itself.
    if (!open && first && next.size && !narrow.matches) open = next.keys().next().value;
    else if (!open && !first && !known.size && next.size) open = next.keys().next().value;
    if (!next.has(open)) open = '';
    first = false;
    refresh();
  }

  async function send(body) {
    const t = threads.get(open);
    if (!t) return;
    $('refused').hidden = true;
    try {
      const answer = await fetch('/sandbox/phone/reply', {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ from: t.phone, to: t.sender, body }),
      });
      if (!answer.ok) throw new Error((await answer.json()).error);
      $('words').value = '';
      $('thread').scrollTop = $('thread').scrollHeight;
    } catch (err) {
      $('refused').textContent = err.message || 'This was not sent. Try again.';
      $('refused').hidden = false;
    }
    $('words').focus();
  }

  $('reply').addEventListener('submit', (e) => {
    e.preventDefault();
    const body = $('words').value.trim();
    if (body) send(body);
  });
  for (const button of document.querySelectorAll('[data-word]')) button.addEventListener('click', () => send(button.dataset.word));
  $('to-threads').addEventListener('click', () => {
    const before = open;
    open = '';
    refresh();
    [...$('threads').children].find((row) => row.dataset.key === before)?.firstChild.focus();
  });
  $('who').addEventListener('input', () => { open = ''; refresh(); });
  document.addEventListener('switched', refresh);

  follow('/sandbox/phone/events', look);
}
