import { headers } from 'next/headers'

let renders = 0

export default async function Dynamic () {
  const agent = (await headers()).get('user-agent')
  renders += 1
  return <main><h1>Dynamic page</h1><p>render {renders} for {agent}</p></main>
}
