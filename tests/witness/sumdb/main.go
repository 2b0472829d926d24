// SPDX-License-Identifier: Apache-2.0

// Checks a log of ours with the packages by which Go checks its checksum database: golang.org/x/mod's
// sumdb/note and sumdb/tlog. Opens the checkpoint, builds the tree from the entries, compares every
// byte of every tile, proves 500 entries through the tiles, and checks that the log extends an older
// checkpoint.
//
// usage: main FOLDER VKEY OLDER
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func checkpoint(file string, vkey string) tlog.Tree {
	data, err := os.ReadFile(file)
	check(err, "checkpoint")
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	check(err, "key")
	opened, err := note.Open(data, note.VerifierList(verifier))
	check(err, file)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "size")
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err, "root")
	var hash tlog.Hash
	copy(hash[:], root)
	return tlog.Tree{N: size, Hash: hash}
}

// x/mod writes "tile/8/LEVEL/..." where tlog-tiles has "tile/LEVEL/...".
func path(folder string, tile tlog.Tile) string {
	return filepath.Join(folder, "tile", strings.TrimPrefix(tile.Path(), "tile/8/"))
}

type folderReader struct{ folder string }

func (r folderReader) Height() int { return height }
func (r folderReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := os.ReadFile(path(r.folder, tile))
		if err != nil {
			return nil, err
		}
		out[i] = data
	}
	return out, nil
}
func (r folderReader) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func main() {
	folder, vkey, older := os.Args[1], os.Args[2], os.Args[3]
	tree := checkpoint(filepath.Join(folder, "checkpoint"), vkey)

	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = stored[index]
		}
		return out, nil
	})
	var entries [][]byte
	for n := int64(0); n*256 < tree.N; n++ {
		width := tree.N - n*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: height, L: 0, N: n, W: int(width)}
		name := strings.Replace(path(folder, tile), "/tile/0/", "/tile/entries/", 1)
		bundle, err := os.ReadFile(name)
		check(err, "bundle")
		for len(bundle) > 0 {
			size := int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2 : 2+size]
			bundle = bundle[2+size:]
			hashes, err := tlog.StoredHashes(int64(len(entries)), entry, reader)
			check(err, "hashes")
			stored = append(stored, hashes...)
			entries = append(entries, entry)
		}
	}
	if int64(len(entries)) != tree.N {
		check(fmt.Errorf("%d entries, the checkpoint says %d", len(entries), tree.N), "entries")
	}
	root, err := tlog.TreeHash(tree.N, reader)
	check(err, "root")
	if root != tree.Hash {
		check(fmt.Errorf("%v is not %v", root, tree.Hash), "root")
	}

	compared := 0
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		// NewTiles lists each width that a growing tile went through.
		count := tree.N >> uint(height*tile.L)
		if tile.N*256+int64(tile.W) < count && tile.W < 256 {
			continue
		}
		want, err := tlog.ReadTileData(tile, reader)
		check(err, "tile")
		have, err := os.ReadFile(path(folder, tile))
		check(err, "tile")
		if !bytes.Equal(want, have) {
			check(fmt.Errorf("differs"), tile.Path())
		}
		compared++
	}

	tiles := tlog.TileHashReader(tree, folderReader{folder})
	proofs := 0
	for i := int64(0); i < 500; i++ {
		index := i * 7919 % tree.N
		proof, err := tlog.ProveRecord(tree.N, index, tiles)
		check(err, "proof")
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entries[index])), "proof")
		proofs++
	}

	before := checkpoint(older, vkey)
	proof, err := tlog.ProveTree(tree.N, before.N, tiles)
	check(err, "consistency")
	check(tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash), "consistency")
	fmt.Printf("%d entries, %d tiles, %d proofs, extends %d\n", tree.N, compared, proofs, before.N)
}
