// Checksums, atomic files, the log and nearest names. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct FileSupportTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Vectors of FIPS 180-2, appendix B, and the empty message.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]) func knownChecksums(text: String, digest: String) throws {
        #expect(SHA256.hexDigest(of: Array(text.utf8)) == digest)
        let path = try folder.write(Array(text.utf8), "x")
        #expect(try SHA256.hexDigest(ofFile: path) == digest)
    }

    @Test func aMillionLettersInUnevenPieces() {
        var hash = SHA256()
        var left = 1_000_000
        var size = 1
        while left > 0 {
            let count = min(size, left)
            hash.update([UInt8](repeating: UInt8(ascii: "a"), count: count))
            left -= count
            size = size * 7 % 1_009 + 1
        }
        #expect(
            hash.hexDigest() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func anAbandonedFileLeavesTheOldOne() throws {
        let path = try folder.write(Array("old".utf8), "x")
        do {
            let file = try AtomicFile(path: path)
            try file.write(Array("new".utf8))
            #expect(try MappedFile(path: path).copy(0..<3) == Array("old".utf8))
        }
        #expect(try folder.names() == ["x"])
        try AtomicWrite.write("newer", to: path)
        #expect(try MappedFile(path: path).copy(0..<5) == Array("newer".utf8))
        #expect(try folder.names() == ["x"])
    }

    @Test func linksStayAndLeftoversGo() throws {
        let target = try folder.write([1], "target")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"), withDestinationPath: target)
        // What a process with an impossible number would have left.
        try folder.write([0], ".target.2147483646-1.partial")
        try AtomicWrite.write([2], to: folder.file("link"))
        #expect(try folder.names() == ["link", "target"])
        #expect(try MappedFile(path: target).copy(0..<1) == [2])
    }

    @Test func unwritablePlacesAreNamed() throws {
        expectSentence("/nowhere/x", "cannot be written") {
            try AtomicWrite.write([1], to: "/nowhere/x")
        }
        expectSentence("not a file") { try AtomicWrite.write([1], to: folder.path) }
    }

    @Test func theLogRotatesAndKeepsThreeFiles() throws {
        let path = folder.file("log.txt")
        let log = Log(path: path, capacity: 10, fileLimit: 400)
        for i in 0..<40 { log.info("test", "entry \(i)", [.init("n", i)]) }
        #expect(try folder.names() == ["log.txt", "log.txt.1", "log.txt.2"])
        for name in try folder.names() {
            #expect(try MappedFile(path: folder.file(name)).byteCount <= 400)
        }
        let entries = log.entries
        #expect(entries.last?.message == "entry 39" && 10...13 ~= entries.count)
        #expect(entries.map(\.id) == Array((40 - entries.count)..<40))
    }

    @Test func logLinesAreStructuredAndHarmless() throws {
        let log = Log(level: .warning)
        log.info("files", "dropped")
        log.warning("files", "a\u{1B}[2Jb\n", [.init("path", "x y"), .init("n", 3)])
        let line = try #require(log.entries.first).line
        #expect(log.entries.count == 1)
        #expect(line.hasSuffix("WARNING [files] a [2Jb  path=\"x y\" n=3"))
        #expect(line.contains("T") && line.contains("Z WARNING"))
    }

    @Test func anUnwritableLogGoesOnInMemory() {
        let log = Log(path: "/nowhere/log.txt")
        log.error("test", "first")
        log.error("test", "second")
        #expect(log.entries.map(\.level) == [.error, .warning, .error])
    }

    @Test func watchersAreTold() {
        let count = Counter()
        let log = Log()
        log.onChange { count.increase() }
        log.info("test", "a")
        log.debug("test", "below the level")
        #expect(count.value == 1)
    }

    @Test func nearestNames() {
        let names = ["hmar-digits", "hmar-objects", "var-digits"]
        #expect(nearestName(to: "hmar-digist", among: names) == "hmar-digits")
        #expect(nearestName(to: "HMAR-O", among: names) == "hmar-objects")
        #expect(nearestName(to: "meshtron", among: names) == nil)
        #expect(EditDistance.between("kitten", "sitting") == 3)
        #expect(EditDistance.between("ab", "ba") == 1)
        #expect(EditDistance.between("", "abc") == 3)
    }

    @Test func jsonKeepsOrderAndIsStrict() throws {
        let text = #"{"b":[1,-2.5,true,null],"a":{"\u00e9\ud83d\ude00":"x\ny"}}"#
        let value = try JSONValue(parsing: text.utf8)
        #expect(value["b"] == .array([.integer(1), .number(-2.5), .bool(true), .null]))
        #expect(value.text == #"{"b":[1,-2.5,true,null],"a":{"é😀":"x\ny"}}"#)
        for bad in [
            "", "{", "[1,]", "{\"a\":1,\"a\":2}", "nul", "\"\\ud800\"", "1 2", "[01x]", "--",
        ] {
            #expect(throws: JSONValue.ParseError.self) { try JSONValue(parsing: bad.utf8) }
        }
    }
}

private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    func increase() { lock.withLock { count += 1 } }
    var value: Int { lock.withLock { count } }
}
