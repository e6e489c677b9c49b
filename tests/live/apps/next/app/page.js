import Link from 'next/link'

export default function Home () {
  return (
    <main>
      <h1>Static page</h1>
      <Link id='isr' href='/isr'>Revalidated every two seconds</Link>
      <Link id='dynamic' href='/dynamic'>Rendered for each request</Link>
      <Link id='news' href='/news'>Revalidated on demand</Link>
      <Link id='stock' href='/stock'>With a route handler behind it</Link>
    </main>
  )
}
