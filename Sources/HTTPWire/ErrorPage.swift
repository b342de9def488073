/// The body of Mooring's own response to a request: HTML, problem JSON or text.
///
/// It explains what happened and what to do, without internal details.
package struct ErrorPage {
    package var status: UInt16
    /// A few words of ASCII without quotes, as in `Proxy-Status`.
    package var details: StaticString
    /// The page reloads after this many seconds; 0: it does not.
    package var refreshSeconds = 0
    /// The visitor waits for a process, and has a place in the queue.
    package var isWaiting = false
    /// The id of the request in the logs; only characters allowed in `X-Request-Id`.
    package var requestID: [UInt8] = []
    /// The last output of the process, for its developer; never for visitors.
    package var output: [String] = []

    package init(status: UInt16, details: StaticString) {
        self.status = status
        self.details = details
    }

    /// The media type of a form.
    package static func mediaType(_ form: AnswerPreference.Form) -> StaticString {
        switch form {
        case .text: "text/plain; charset=utf-8"
        case .page: "text/html; charset=utf-8"
        case .problem: "application/problem+json"
        }
    }

    /// The body in the given format.
    package func body(_ form: AnswerPreference.Form) -> [UInt8] {
        switch form {
        case .text: Array("\(status) \(ErrorAnswer.phrase(status))\n\(details)\n".utf8)
        case .page: Array(page.utf8)
        case .problem: Array(problem.utf8)
        }
    }

    private var problem: String {
        var text = "{\"type\":\"about:blank\",\"title\":\"\(ErrorAnswer.phrase(status))\""
        text += ",\"status\":\(status),\"detail\":\"\(details)\""
        if !requestID.isEmpty {
            text += ",\"request_id\":\"\(String(decoding: requestID, as: UTF8.self))\""
        }
        return text + "}\n"
    }

    private var page: String {
        let (title, sentence) = words
        var text = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">

            """
        if refreshSeconds > 0 {
            text += "<meta http-equiv=\"refresh\" content=\"\(refreshSeconds)\">\n"
        }
        text += "<title>\(title)</title>\n\(Self.style)</head>\n<body>\n<main>\n"
        text += "<h1>\(title)</h1>\n<p>\(sentence)</p>\n"
        if !output.isEmpty {
            text += "<h2>The last output of the process</h2>\n<pre>"
            text += lastLines.joined(separator: "\n") + "</pre>\n"
        }
        text += "<footer>\(status) \(ErrorAnswer.phrase(status))"
        if !requestID.isEmpty {
            text += " &middot; \(Self.escaped(String(decoding: requestID, as: UTF8.self)))"
        }
        return text + "</footer>\n</main>\n</body>\n</html>\n"
    }

    /// As many of the last lines as fit on a page.
    private var lastLines: [String] {
        var room = 8 * 1024
        var lines: [String] = []
        for line in output.reversed() {
            let escaped = Self.escaped(line)
            room -= escaped.utf8.count + 1
            if room < 0 { break }
            lines.append(escaped)
        }
        return lines.reversed()
    }

    private static let style = """
        <style>
        :root { color-scheme: light dark }
        body { font: 1.05rem/1.5 system-ui, sans-serif; margin: 0 }
        main { max-width: 36rem; margin: 18vh auto 2rem; padding: 0 1.5rem }
        h1 { font-size: 1.6rem; margin: 0 0 .5rem }
        h2 { font-size: 1rem }
        pre { overflow-x: auto; padding: 1rem; border: 1px solid; font-size: .85rem }
        footer { margin-top: 2rem; font-size: .85rem; opacity: .65; overflow-wrap: anywhere }
        </style>

        """

    private var words: (title: StaticString, sentence: StaticString) {
        if isWaiting {
            return (
                "One moment, please",
                "Your place is being prepared. This page tries again by itself."
            )
        }
        switch status {
        case 403: return ("Not permitted", "This may not be read.")
        case 404: return ("Page not found", "There is nothing at this address.")
        case 413: return ("Too large", "What was sent is larger than this site accepts.")
        case 429:
            return (
                "Too many requests", "Please wait a moment before you try again."
            )
        case 500, 502:
            return (
                "Something went wrong",
                "The application did not answer properly. Please try again in a moment."
            )
        case 503 where refreshSeconds > 0:
            return (
                "Busy at the moment",
                "The application cannot take your request right now. This page tries again by itself."
            )
        case 503:
            return (
                "Not available at the moment",
                "The application cannot take your request right now. Please try again."
            )
        case 504:
            return (
                "This takes too long",
                "The application did not answer in time. Please try again in a moment."
            )
        default: return ("This did not work", "The request could not be served.")
        }
    }

    /// Escapes text for HTML; control characters are removed.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\t": escaped += "    "
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value): continue
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
