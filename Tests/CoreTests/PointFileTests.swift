// Meshes and lists of points as text. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct PointFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func mesh(_ text: String, _ name: String) throws -> TriangleMesh {
        let path = folder.path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try TriangleMesh(path: path)
    }

    private let tetrahedron = "0 0 0\n1 0 0\n0 1 0\n0 0 1\n"

    @Test func oneTetrahedronInThreeFormats() throws {
        let off = try mesh(
            "OFF\n# a comment\n4 4 6\n\(tetrahedron)3 0 1 2\n3 0 1 3 0.5 0.5 0.5\n3 0 2 3\n3 1 2 3\n",
            "a.off")
        // ModelNet writes the counts behind the word.
        let joined = try mesh(
            "OFF4 4 6\n\(tetrahedron)3 0 1 2\n3 0 1 3\n3 0 2 3\n3 1 2 3\n", "b.off")
        let obj = try mesh(
            "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1/1 2/2 4/4\nf -4 -2 -1\nf 2 3 4\n",
            "c.obj")
        #expect(off == joined)
        #expect(off == obj)
        #expect(off.triangles.count == 4)
        #expect(try mesh(tetrahedron, "d.xyz").vertices == off.vertices)
    }

    @Test(arguments: [
        ("OFF\n4 4 6\n0 0 0\n", "cut.off"), ("OFF\n1 1 0\n0 0 0\n3 0 1 2\n", "far.off"),
        ("PLY", "wrong.off"), ("OFF\n", "none.off"), ("v 1 2\n", "two.obj"),
        ("f 1 2 3\n", "faces.obj"), ("nothing\nhere\n", "words.xyz"),
        ("3\ncut\nH 0 0 0\n", "cut.xyz"), ("1\nno number\nH 0 zero 0\n", "zero.xyz"),
        ("v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "nan.obj"),
        ("v 1e300 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "large.obj"),
    ])
    func whatIsWrongIsSaid(text: String, name: String) {
        #expect(throws: FileFormatError.self) { try mesh(text, name) }
    }

    @Test(arguments: ["nan", "inf", "-inf", "1e300", "-1e13"])
    func coordinatesThatNoNetworkBearsAreRefusedInMoleculesToo(number: String) {
        let text = "2\nodd\nH 0 0 0\nH 0 \(number) 0\n"
        let error = #expect(throws: FileFormatError.self) {
            try XYZFile(text: text, path: "odd.xyz")
        }
        #expect(error?.description.contains("point 2") == true)
    }

    @Test(arguments: ["none.off", "none.obj", "none.ply", "none.xyz"])
    func filesWithoutBytesAreCalledEmpty(name: String) {
        let error = #expect(throws: FileFormatError.self) { try mesh("", name) }
        #expect(
            error?.description.hasSuffix("\(name): the file is empty (0 bytes); get it again.")
                == true)
    }

    @Test func aPipeThatNobodyWritesToDoesNotHoldTheProgram() throws {
        let path = folder.path + "/pipe.xyz"
        #expect(mkfifo(path, 0o600) == 0)
        #expect(throws: FileFormatError.wrongKind(path: path, expected: "a file")) {
            try TriangleMesh(path: path)
        }
    }

    @Test func elementsStandBeforeTheNumbers() throws {
        let water = try XYZFile(
            text:
                "3\nwater 1 2 3 in ångström\nO 0 0 0.1 -0.8\nH 0 0.7 -0.5 0.4\nh 0 -0.7 -0.5 0.4\n",
            path: "water.xyz")
        #expect(water.elements == ["O", "H", "h"])
        #expect(water.positions[1] == SIMD3(0, 0.7, -0.5))
        let plain = try XYZFile(text: "0 0 0\n1 2 3\n", path: "plain.xyz")
        #expect(plain.elements == nil)
        #expect(plain.positions.count == 2)
    }

    @Test func scalingMakesTheLongestSideOne() throws {
        let box = TriangleMesh(
            vertices: [SIMD3(1, 1, 1), SIMD3(3, 5, 1.5)], triangles: []
        ).scaled(toExtent: 1)
        #expect(box.vertices[1] - box.vertices[0] == SIMD3(0.5, 1, 0.125))
        let point = TriangleMesh(vertices: [SIMD3(1, 1, 1)], triangles: [])
        #expect(point.scaled(toExtent: 1) == point)
    }
}
