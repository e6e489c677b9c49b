import Link from 'next/link'

export default function Home () {
  return (
    <main>
      <h1>Static page</h1>
      <Link href='/isr'>Revalidated every two seconds</Link>
      <Link href='/dynamic'>Rendered for each request</Link>
    </main>
  )
}
