import Link from 'next/link'
import Ask from '../ask.js'

export default function Stock () {
  return (
    <main>
      <h1>Stock</h1>
      <Ask id='count' url='/api/stock' />
      <Ask id='invalidate' url='/api/revalidate?tag=stock&how=invalidate' method='POST' />
      <Ask id='delete' url='/api/revalidate?tag=stock&how=dangerously-delete' method='POST' />
      <Link id='home' href='/'>Home</Link>
    </main>
  )
}
