/* SPDX-License-Identifier: MIT */
/*
 * The HTML pages. They have no scripts, load nothing, and contain nothing that the client sent. The callback
 * is answered with a redirect to a path without a query, which removes the code from the browser's address
 * bar and history.
 */
#include "callback_page.h"

#include "callback_parse.h"

#define STYLE                                                                                                \
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem;"             \
    "color:#1d1d1f;background:#fff}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:0}"                         \
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#1d1d1f}}"

static const struct {
    unsigned status;
    const char *reason, *title, *text;
} pages[] = {
    {CALLBACK_PAGE, "OK", NULL, NULL},
    {CALLBACK_IS, "See Other", "Logging in", "One moment."},
    {CALLBACK_BAD, "Bad Request", "Not this login", "broker is waiting for another request."},
    {CALLBACK_NO_PATH, "Not Found", "Nothing here", "broker is waiting for the end of a login."},
    {CALLBACK_NO_METHOD, "Method Not Allowed", "Not this login", "broker is waiting for another request."},
    {CALLBACK_NO_BODY, "Content Too Large", "Not this login", "broker is waiting for another request."},
    {CALLBACK_LONG, "Request Header Fields Too Large", "Not this login", "That request is too long."},
};

static void add_html(struct buf *out, const char *title, const char *text)
{
    buf_printf(out,
               "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\"><title>broker: %s</title>"
               "<style>" STYLE "</style></head><body><h1>%s</h1><p>%s</p></body></html>\n",
               title, title, text);
}

void callback_page(unsigned status, bool is_good, struct buf *out)
{
    AUTO_BUF(html, 4096);
    size_t i = 0;

    while (i + 1 < sizeof pages / sizeof pages[0] && pages[i].status != status)
        i++;
    if (pages[i].title)
        add_html(&html, pages[i].title, pages[i].text);
    else if (is_good)
        add_html(&html, "You are logged in", "Close this page and go back to the terminal.");
    else
        add_html(&html, "The login failed", "The terminal says why.");
    buf_printf(out, "HTTP/1.1 %u %s\r\n", status, pages[i].reason);
    if (status == CALLBACK_IS)
        buf_puts(out, "Location: " CALLBACK_DONE_PATH "\r\n");
    if (status == CALLBACK_NO_METHOD)
        buf_puts(out, "Allow: GET\r\n");
    buf_printf(
        out,
        "Content-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'\r\n"
        "Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n%s",
        html.len, buf_str(&html));
}
