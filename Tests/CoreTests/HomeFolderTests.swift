// Where a person's files are. SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@Suite("Home folder")
struct HomeFolderTests {
    @Test("HOME counts, as in a shell; without it, or with a relative one, the account's folder")
    func home() {
        #expect(HomeFolder.path(environment: ["HOME": "/tmp/somebody"]) == "/tmp/somebody")
        #expect(HomeFolder.path(environment: ["HOME": "/tmp/somebody/"]) == "/tmp/somebody")
        #expect(HomeFolder.path(environment: [:]).hasPrefix("/"))
        #expect(HomeFolder.path(environment: ["HOME": "tmp"]).hasPrefix("/"))
    }

    @Test("A tilde is replaced at the beginning only")
    func tilde() {
        let home = ["HOME": "/h"]
        #expect(HomeFolder.expandingTilde("~/a/b.png", environment: home) == "/h/a/b.png")
        #expect(HomeFolder.expandingTilde("~", environment: home) == "/h")
        #expect(HomeFolder.expandingTilde("a/~/b", environment: home) == "a/~/b")
        #expect(HomeFolder.expandingTilde("/a", environment: home) == "/a")
    }
}
