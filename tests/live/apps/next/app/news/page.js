import { revalidatePath, unstable_cache as cached, updateTag } from 'next/cache'
import { draftMode } from 'next/headers'
import Link from 'next/link'
import { purge } from '../../lib/purge.js'
import Ask from '../ask.js'

/** Revalidated every hour, and on demand: its tag for the CDN is in next.config.mjs. */
export const revalidate = 3600

const story = cached(async () => `${Date.now()}-${Math.random()}`, ['story'], { tags: ['news'] })

async function remove () {
  'use server'
  updateTag('news')
  revalidatePath('/news')
  await purge('dangerously-delete', ['news'])
}

export default async function News () {
  const { isEnabled } = await draftMode()
  return (
    <main>
      <h1>News</h1>
      <p id='story'>{await story()}</p>
      <p id='draft'>{isEnabled ? 'draft' : 'published'}</p>
      <Ask id='refresh' url='/api/revalidate?tag=news&how=invalidate' method='POST' />
      <form action={remove}><button id='remove'>Remove</button></form>
      <Link id='home' href='/'>Home</Link>
    </main>
  )
}
