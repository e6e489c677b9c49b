'use client'

import { useState } from 'react'

/** A button that asks for a URL, and what it was answered. */
export default function Ask ({ id, url, method = 'GET' }) {
  const [answer, setAnswer] = useState('')
  async function ask () {
    setAnswer('')
    setAnswer(await (await fetch(url, { method })).text())
  }
  return <p><button id={id} onClick={ask}>{id}</button> <output id={`${id}-answer`}>{answer}</output></p>
}
