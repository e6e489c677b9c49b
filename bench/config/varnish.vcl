vcl 4.1;

# All else is Varnish's own: it reads s-maxage, and takes stale-while-revalidate for its grace.
backend default {
    .host = "127.0.0.1";
    .port = "@ORIGIN@";
}
