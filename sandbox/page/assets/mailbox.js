// The mailbox: lists what has arrived, and shows one mail.
'use strict';

{
  const read = new Set();
  let mails = [];
  let chosen = 0;
  let asText = false;
  let first = true;

  const bytes = (n) => (n < 1024 ? `${n} bytes` : n < 1 << 20 ? `${Math.round(n / 1024)} kB` : `${(n / (1 << 20)).toFixed(1)} MB`);

  function showList() {
    const want = wanted();
    const shown = mails.filter((m) => !want || m.envelopeTo.some((to) => to.toLowerCase().includes(want)));
    const focused = document.activeElement?.closest?.('#mails li')?.dataset.id;
    $('mails').replaceChildren(...shown.map((m) => {
      const row = make('li', read.has(m.id) ? '' : 'unread');
      row.dataset.id = m.id;
      row.classList.toggle('files', m.attachments.some((a) => !a.contentId));
      const button = make('button');
      button.type = 'button';
      button.setAttribute('aria-current', String(m.id === chosen));
      const some = m.text.replace(/\s+/g, ' ').trim().slice(0, 140);
      const files = m.attachments.filter((a) => !a.contentId).length;
      button.append(make('span', 'who', m.envelopeTo.join(', ')), timeOf(m.at), make('span', 'what', m.subject || '(no subject)'));
      if (files) button.append(make('span', 'clip', `${files} ${files > 1 ? 'files' : 'file'}`));
      button.append(make('span', 'some', some));
      button.addEventListener('click', () => choose(m.id));
      row.append(button);
      return row;
    }));
    if (focused) [...$('mails').children].find((row) => row.dataset.id === focused)?.firstChild.focus();
    $('no-mails').hidden = shown.length > 0;
    count('mail', mails.filter((m) => !read.has(m.id)).length);
  }

  function files(m) {
    const base = `/sandbox/mail/messages/${m.id}/attachments`;
    return m.attachments.flatMap((a, n) => {
      if (a.contentId) return []; // it is in the text
      const item = make('li');
      const link = make('a', '', a.name);
      link.append(make('small', '', bytes(a.size)));
      if (a.type === 'application/pdf') {
        link.href = `${base}/${n}?show=1`;
        link.target = '_blank';
        link.rel = 'noopener noreferrer';
        const keep = make('a', 'keep', '⤓');
        keep.href = `${base}/${n}`;
        keep.download = a.name;
        keep.setAttribute('aria-label', `Download ${a.name}`);
        item.append(link, keep);
      } else {
        link.href = `${base}/${n}`;
        link.download = a.name;
        item.append(link);
      }
      return [item];
    });
  }

  function choose(id) {
    const m = mails.find((m) => m.id === id);
    chosen = m ? id : 0;
    $('letter').hidden = !m;
    $('no-mail').hidden = !!m;
    $('mail').classList.toggle('reading', !!m);
    if (m) {
      read.add(id);
      $('subject').textContent = m.subject || '(no subject)';
      $('from').textContent = (m.from || m.envelopeFrom).replace(/^"(.*)" </, '$1 <');
      $('recipients').textContent = m.envelopeTo.join(', ');
      $('at').textContent = full.format(new Date(m.at));
      $('at').dateTime = m.at;
      const base = `/sandbox/mail/messages/${m.id}`;
      $('raw').href = `${base}/raw`;
      $('attachments').replaceChildren(...files(m));
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

  async function look() {
    const before = mails[0]?.id ?? 0;
    mails = (await ask('/sandbox/mail/messages')).messages;
    if (first) {
      choose(Number(location.hash.slice(1)) || (narrow.matches ? 0 : mails[0]?.id));
    } else {
      const fresh = mails.filter((m) => m.id > before);
      if (fresh.length) announce(`Mail to ${fresh[0].envelopeTo.join(', ')}: ${fresh[0].subject}`);
      showList();
    }
    first = false;
  }

  $('as-html').addEventListener('click', () => showAs(asText = false));
  $('as-text').addEventListener('click', () => showAs(asText = true));
  $('to-mails').addEventListener('click', () => {
    const before = String(chosen);
    choose(0);
    history.replaceState(null, '', location.pathname);
    [...$('mails').children].find((row) => row.dataset.id === before)?.firstChild.focus();
  });
  $('who').addEventListener('input', showList);

  follow('/sandbox/mail/events', look);
}
