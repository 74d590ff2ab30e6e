// A small data set in memory.
// SPDX-License-Identifier: Apache-2.0
import Core

struct PictureList: Dataset {
    let name = "pictures of the test"
    let classes: [String]
    let pictures: [RGBImage]
    let labels: [Int]

    var count: Int { pictures.count }
    func label(at index: Int) -> Int { labels[index] }
    func image(at index: Int) -> RGBImage { pictures[index] }
}

/// A bright column on dark ground, its place told by the label.
func barPictures(count: Int, side: Int = 8) -> PictureList {
    let pictures = (0..<count).map { index -> RGBImage in
        var image = RGBImage(width: side, height: side, red: 20, green: 20, blue: 20)
        let column = (index % 4) * side / 4
        for y in 0..<side { image[column, y] = (UInt8(200 + index % 7), 230, 220) }
        return image
    }
    return PictureList(
        classes: ["a", "b", "c", "d"], pictures: pictures, labels: (0..<count).map { $0 % 4 })
}
