// Pictures, marks and branches over the end of the program. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Gallery over restarts")
struct GalleryStoreTests {
    private func start(_ folder: TemporaryFolder) -> ApplicationHarness {
        let app = ApplicationHarness(stateFolder: folder.path).ready()
        app.wait { !$0.session.isReadOnly }
        return app
    }

    /// Two samples, a branch of the second, the first marked.
    private func fill(_ app: ApplicationHarness) {
        for seed in [1, 2] as [UInt64] {
            app.application.send(.schedule(.setSeed(seed)))
            app.press("3")
            app.press(.enter)
            app.settle()
        }
        app.press("B")
        app.settle()
        app.press("o")
        app.press(KeyPress(.end))
        app.press("x")
    }

    @Test(
        "A proper end and a kill both keep pictures, marks and branches", arguments: [true, false])
    func restart(endsProperly: Bool) throws {
        let folder = try TemporaryFolder()
        let first = start(folder)
        fill(first)
        let images = first.state.galleryItems.compactMap { first.state.image($0) }
        #expect(images.count == 3)
        if endsProperly {
            first.application.shutDown()
        } else {
            first.application.willTerminate()
        }
        let second = start(folder)
        second.wait { $0.galleryItems.count == 3 }
        #expect(second.state.galleryItems.compactMap { second.state.image($0) } == images)
        #expect(second.state.runs.branchLines.map(\.depth) == [0, 0, 1])
        let marked = second.state.runs.runs.filter { !$0.marked.isEmpty }
        #expect(marked.map(\.request.seed) == [1])
        // Nothing is shown that was not asked for: the first screen is the same.
        if endsProperly {
            #expect(second.state.runs.shownID == nil)
            #expect(second.text().contains("the gallery: 3 pictures"))
        } else {
            second.press(.enter)
            #expect(second.state.galleryItems.count == 3)
        }
        // A branch goes on from a picture of the last start.
        second.application.send(.run(.show(second.state.runs.runs[0].id)))
        second.press("3")
        second.press("B")
        second.settle()
        #expect(second.state.runs.branchLines.map(\.depth) == [0, 1, 0, 1])
        second.application.shutDown()
        let third = start(folder)
        third.wait { $0.galleryItems.count == 4 }
        #expect(third.state.runs.branchLines.map(\.depth).sorted() == [0, 0, 1, 1])
    }

    @Test("What is taken out of the gallery is gone at the next start; undo brings it back before")
    func removed() throws {
        let folder = try TemporaryFolder()
        let first = start(folder)
        fill(first)
        first.press(KeyPress(.delete))
        #expect(first.state.galleryItems.count == 2)
        first.press("u")
        #expect(first.state.galleryItems.count == 3)
        first.press("D")
        #expect(first.text().contains("Gallery · 2 pictures"))
        first.application.shutDown()
        let second = start(folder)
        second.wait { $0.galleryItems.count == 2 }
        #expect(second.state.runs.runs.allSatisfy { $0.request.seed != 1 })
        second.application.shutDown()
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.file("gallery"))
        #expect(files.filter { $0.hasSuffix(".png") }.count == 2)
    }

    @Test("A broken file costs its own run, a broken index all of them and nothing else")
    func broken() throws {
        let folder = try TemporaryFolder()
        let first = start(folder)
        fill(first)
        first.application.shutDown()
        try Data("no picture".utf8).write(
            to: URL(fileURLWithPath: folder.file("gallery/1-0.png")))
        let second = start(folder)
        second.wait { $0.galleryItems.count == 2 }
        second.application.shutDown()
        try Data("{".utf8).write(to: URL(fileURLWithPath: folder.file("gallery/index.json")))
        let third = start(folder)
        #expect(third.state.galleryItems.isEmpty)
        third.press("3")
        third.press(.enter)
        third.settle()
        #expect(third.state.galleryItems.count == 1)
        third.application.shutDown()
        let fourth = start(folder)
        fourth.wait { $0.galleryItems.count == 1 }
    }
}
