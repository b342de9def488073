internal import Settings
internal import Testing

@Suite struct StatusRangesTests {
    @Test(arguments: ["200-399", "204", "200,301-308", " 200 - 204 , 404 "])
    func `numbers and ranges are statuses`(_ text: String) {
        #expect(StatusRanges(parsing: text)?.contains(204) == (text != "200,301-308"))
    }

    @Test(arguments: [
        "", "200 ok", "200 204", "199", "600", "399-200", "200-", "200--204", "2000", "200,",
    ])
    func `anything else is none`(_ text: String) {
        #expect(StatusRanges(parsing: text) == nil)
    }
}
