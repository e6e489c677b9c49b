export const metadata = { title: 'A Next.js origin' }

export default function Layout ({ children }) {
  return <html lang='en'><body>{children}</body></html>
}
