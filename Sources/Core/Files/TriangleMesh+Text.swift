// Meshes as text: OBJ and OFF. SPDX-License-Identifier: Apache-2.0

extension TriangleMesh {
    /// Reads the `v` and `f` lines of an OBJ.
    ///
    /// - Throws: ``FileFormatError``.
    init(obj text: String, path: String) throws(FileFormatError) {
        self.init(vertices: [], triangles: [])
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            let words = line.split(whereSeparator: \.isWhitespace)
            func malformed(_ reason: String) -> FileFormatError {
                .malformed(path: path, offset: nil, reason: "line \(number): \(reason)")
            }
            switch words.first {
            case "v":
                let values = words.dropFirst().prefix(3).compactMap { Double($0) }
                guard values.count == 3 else { throw malformed("a vertex is not three numbers") }
                vertices.append(SIMD3(values[0], values[1], values[2]))
            case "f":
                var corners: [Int32] = []
                for word in words.dropFirst() {
                    let index = word.split(separator: "/").first.flatMap { Int($0) } ?? 0
                    let place = index > 0 ? index - 1 : vertices.count + index
                    guard index != 0, vertices.indices.contains(place) else {
                        throw malformed("a face names vertex \(word), which is not there")
                    }
                    corners.append(Int32(place))
                }
                addFan(corners)
            default: continue
            }
        }
        guard !vertices.isEmpty else {
            throw .notRecognised(path: path, expected: "an OBJ mesh")
        }
    }

    /// Reads an OFF: the word `OFF`, counts of vertices, faces and edges, then the vertices and the
    /// faces, each with its count of corners; colours after them are passed over.
    ///
    /// - Throws: ``FileFormatError``.
    ///
    /// Source: the format of the Geometry Center's Geomview, as ModelNet uses it (where the counts
    /// may follow `OFF` without a space).
    init(off text: String, path: String) throws(FileFormatError) {
        self.init(vertices: [], triangles: [])
        func malformed(_ reason: String) -> FileFormatError {
            .malformed(path: path, offset: nil, reason: reason)
        }
        guard text.hasPrefix("OFF") else {
            throw .notRecognised(path: path, expected: "an OFF mesh")
        }
        let lines = text.dropFirst(3).split(whereSeparator: \.isNewline).map { line in
            line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
        }.filter { !$0.isEmpty }
        let counts = (lines.first ?? []).compactMap { Int($0) }
        guard counts.count >= 2, counts[0] >= 0, counts[1] >= 0 else {
            throw malformed("the counts of vertices and faces are not there")
        }
        guard lines.count - 1 >= counts[0], lines.count - 1 - counts[0] >= counts[1] else {
            throw malformed(
                "\(counts[0]) vertices and \(counts[1]) faces need "
                    + "\(counts[0]) + \(counts[1]) lines, but \(lines.count - 1) are there")
        }
        for words in lines.dropFirst().prefix(counts[0]) {
            let values = words.prefix(3).compactMap { Double($0) }
            guard values.count == 3 else { throw malformed("a vertex is not three numbers") }
            vertices.append(SIMD3(values[0], values[1], values[2]))
        }
        for words in lines.dropFirst(1 + counts[0]).prefix(counts[1]) {
            let count = words.first.flatMap { Int($0) } ?? -1
            let corners = words.dropFirst().prefix(max(0, count)).compactMap { Int($0) }
            guard corners.count == count, corners.allSatisfy(vertices.indices.contains) else {
                throw malformed("a face names a vertex that is not there")
            }
            addFan(corners.map { Int32($0) })
        }
        guard !vertices.isEmpty else { throw malformed("no vertices") }
    }
}
