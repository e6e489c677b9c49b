export const revalidate = 2

let renders = 0

export default function Revalidated () {
  renders += 1
  return <main><h1>ISR page</h1><p>render {renders} at {new Date().toISOString()}</p></main>
}
